"""Every transform that a config can name: image and label move together, and a seed repeats.

A registered transform, ours or mmcv's, without a row in ROWS fails, unless it is in OTHERS. Two
samples: blocks of flat colour, whose middles keep their colour under any resampling, and a
picture whose pixels say where they came from, as its labels do.
"""

import types

import numpy as np
import pytest
from contracts import every, mirrored_by_chance

from segplug.contract.transforms import ALL_CHANNELS, ALL_TYPES, CHECKS, TransformCase
from segplug.registry import TRANSFORMS

# Checks of what mmcv's own transforms do not promise.
OURS_ONLY = ('channels and types',)


def row(kwargs, channels=ALL_CHANNELS, dtypes=ALL_TYPES, values='kept', **facts):
    """Arguments of the constructor, and what `TransformCase` asks; ours take every image."""
    return dict(kwargs=kwargs, channels=channels, dtypes=dtypes, values=values, **facts)


FLIP = dict(type='RandomFlip', prob=0.5)
INTEGERS = (np.uint8, np.uint16)
ROWS = {
    'AdjustGamma': row(dict(gamma=1.5), values='mapped', dtypes=INTEGERS),
    'Albu': row(dict(transforms=[mirrored_by_chance]), moves=True),
    'BioMedical3DPad': row(dict(pad_shape=(12, 8, 16), seg_pad_val=255), moves=True,
                           kind='volume'),
    'BioMedical3DRandomCrop': row(dict(crop_shape=(4, 6, 7)), moves=True, kind='volume'),
    'BioMedical3DRandomFlip': row(dict(prob=0.5, axes=(0, 1, 2)), moves=True, kind='volume'),
    'BioMedicalGaussianBlur': row(dict(prob=1.), values='changed', kind='volume'),
    'BioMedicalGaussianNoise': row(dict(prob=1.), values='changed', kind='volume'),
    'BioMedicalRandomGamma': row(dict(prob=1.), values='changed', kind='volume'),
    'CLAHE': row({}, values='changed', dtypes=INTEGERS),
    'CenterCrop': row(dict(crop_size=(18, 45))),
    'ClassMix': row(dict(prob=1.), moves=True),
    'CutMix': row(dict(prob=1.), moves=True),
    'GaussianBlur': row(dict(prob=1., sigma=(0.5, 1.)), shift=1),
    'GenerateEdge': row(dict(edge_width=4)),
    'InferencerLoader': row({}, kind='load'),
    'LoadAnnotations': row({}, kind='load'),
    'LoadImageFromFile': row({}, kind='load'),
    'LoadImageFromNDArray': row({}),
    'LoadSingleRSImageFromFile': row({}, kind='load', same_type=False),
    'Normalize': row(dict(mean=[1, 2, 3], std=[4, 5, 6]), values='mapped', channels=(3,),
                     same_type=False),
    'PackSegInputs': row({}, kind='pack'),
    'Pad': row(dict(size=(120, 70), pad_val=dict(img=250, seg=255))),
    'PhotoMetricDistortion': row({}, values='mapped', channels=(3,), dtypes=(np.uint8,)),
    'RGB2Gray': row({}, values='mapped', channels=(3,)),
    'RandomApply': row(dict(transforms=[FLIP], prob=0.5), moves=True),
    'RandomChoice': row(dict(transforms=[[FLIP], []]), moves=True),
    'RandomChoiceResize': row(dict(scales=[(96, 64), (41, 80)]), moves=True, shift=1.5),
    'RandomCrop': row(dict(crop_size=(40, 56)), moves=True),
    'RandomCutOut': row(dict(prob=1., n_holes=(1, 4), cutout_ratio=[(0.1, 0.2), (0.2, 0.1)],
                             fill_in=250, seg_fill_in=255), moves=True),
    'RandomDepthMix': row(dict(prob=1.), values='changed', sample=dict(gt_depth_map=7.)),
    'RandomFlip': row(dict(prob=[0.4, 0.3, 0.3],
                           direction=['horizontal', 'vertical', 'diagonal']), moves=True),
    'RandomGrayscale': row(dict(prob=0.5), values='mapped', channels=(3,), dtypes=(np.uint8,)),
    'RandomMosaic': row(dict(prob=1., img_scale=(64, 80), pad_val=250), moves=True, shift=1.5),
    'RandomResize': row(dict(scale=(96, 64), ratio_range=(0.7, 2.)), moves=True, shift=1.5),
    'RandomRotFlip': row(dict(pad_val=250), moves=True, shift=1.5),
    'RandomRotate': row(dict(prob=1., degree=180, pad_val=250), moves=True, shift=1.5),
    'Rerange': row(dict(max_value=1.), values='mapped', same_type=False),
    'Resize': row(dict(scale_factor=(1.5, 0.75)), shift=1.5),
    'ResizeShortestEdge': row(dict(scale=50, max_size=90), shift=1.5),
    'ResizeToMultiple': row(dict(size_divisor=20), shift=1.5),
    'SegRescale': row(dict(scale_factor=0.5), label_only=True),
}
OTHERS = {
    'Compose': 'a pipeline', 'ImageToTensor': 'makes tensors', 'ToTensor': 'makes tensors',
    'KeyMapper': 'renames entries', 'TransformBroadcaster': 'takes lists of entries',
    'MultiScaleFlipAug': 'makes several samples',
    'TestTimeAug': 'makes several samples',
    'ConcatCDInput': 'joins two images', 'LoadMultipleRSImageFromFile': 'reads two images',
    'LoadDepthAnnotation': 'reads depth', 'LoadBiomedicalImageFromFile': 'reads volumes',
    'LoadBiomedicalAnnotation': 'reads volumes', 'LoadBiomedicalData': 'reads volumes'}
TRANSFORMS.import_from_location()
OURS = sorted(name for name, cls in TRANSFORMS.module_dict.items()
              if cls.__module__.startswith('segplug.'))
MMCVS = sorted(name for name, cls in TRANSFORMS.parent.module_dict.items()
               if cls.__module__.startswith('mmcv.') and name not in OURS)


def case_of(name):
    facts = dict(ROWS[name])
    return TransformCase(dict(type=name, **facts.pop('kwargs')), **facts, leaves_arrays=True,
                         strict=True)


CASES = [case_of(name) for name in ROWS]


def test_every_transform_has_a_row():
    assert sorted(ROWS) == sorted({*OURS, *MMCVS} - set(OTHERS))


@every([case for case in CASES if case.name in OURS], CHECKS)
def test_ours_keep_their_contract(case, check):
    check(case)


@every([case for case in CASES if case.name in MMCVS],
       [check for check in CHECKS if check.name not in OURS_ONLY])
def test_mmcvs_keep_it_too(case, check):
    check(case)


@pytest.mark.parametrize('name', [n for n in OURS if n not in OTHERS])
def test_its_text_names_it(name):
    assert repr(case_of(name).build()).lstrip('<').split('(')[0].split(' ')[0].endswith(name)


def test_the_rows_are_of_this_registry():
    assert all(isinstance(TRANSFORMS.get(n), type | types.FunctionType) for n in ROWS)
