"""A package each component of which breaks its contract in one place, named in `FAULTS`."""

from . import data, models, training  # noqa: F401

# Component -> the checks that it fails.
FAULTS = {
    'PSPHead': {'name'}, 'RestlessHead': {'repeats in eval', 'state dict'},
    'UnusedHead': {'gradients'}, 'TwoHead': {'logits', 'in a model'},
    'SilentHead': {'loss', 'in a model', 'gradients'},
    'PlainLoss': {'docstring'}, 'HungryLoss': {'ignored pixels'}, 'EmptyLoss': {'ignored batch'},
    'CallLoss': {'scalar'}, 'FallingLoss': {'falls'}, 'HalvedLoss': {'name and weight'},
    'LyingBackbone': {'channels and strides'}, 'ForgetfulBackbone': {'state dict'},
    'InfiniteNeck': {'levels', 'gradients'}, 'UnlikeSegmentor': {'predictions'},
    'IgnoringDataset': {'classes and palette'}, 'OtherDataset': {'samples'},
    'OwnDice': {'same seed', 'no state'}, 'SoftLabels': {'label values'},
    'HalfMoved': {'same size'}, 'Remembering': {'no state'}, 'LambdaTransform': {'pickles'},
    'Taking': {'keys', 'same size', 'label values', 'tiny images', 'channels and types',
               'same seed', 'no state', 'pickles'},
    'Shuffled': {'moves together', 'same place'}, 'Writing': {'loaded arrays'},
    'MeanMetric': {'two processes', 'order and batches'},
    'RaisingHook': {'a tiny run'}, 'Climber': {'lowers a quadratic'},
    'Forgetful': {'state dict'}, 'HalfConstructor': {'parameters'},
    'EndlessLR': {'values'}, 'DiceSampler': {'same seed'}, 'WholeSampler': {'two processes'},
    'LazyVisualizer': {'draws a sample'}, 'DeafBackend': {'takes all'},
}
# What nobody can build without being told how, and what it is not told what it is.
NOT_BUILT = {'NeedyHead': "dict(type='NeedyHead', in_channels=8, channels=8, num_classes=3, "
                          'patience=...)', 'Mystery': "kind='backbone'"}

segplug_contract = [
    dict(type='PSPHead', in_channels=8, channels=8, num_classes=3),
    dict(type='Shuffled', _contract_=dict(values='kept')),
    dict(type='Writing', _contract_=dict(leaves_arrays=True)),
    dict(type='LyingBackbone', _contract_=dict(kind='backbone')),
    dict(type='ExcusedLoss', _contract_=dict(skip='its target is a map of edges')),
]
