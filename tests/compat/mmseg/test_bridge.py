"""segplug's own test while the names are lent, and classes from elsewhere."""

import pickle

import pytest
import torch
from mmengine.structures import PixelData

from segplug.errors import ConfigError
from segplug.models.segmentors import EncoderDecoder
from segplug.registry import MODELS
from segplug.structures import SegDataSample
from segplug.visualization import SegLocalVisualizer

HEAD = dict(in_channels=32, channels=4, num_classes=3, num_convs=1, norm_cfg=dict(type='BN'))


def build(cls=EncoderDecoder, head='FCNHead', test_cfg=None):
    torch.manual_seed(0)
    return cls(backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4),
               decode_head=dict(HEAD, type=head), test_cfg=test_cfg,
               data_preprocessor=dict(type='SegDataPreProcessor', mean=[100.0] * 3,
                                      std=[50.0] * 3, test_cfg=dict(size_divisor=32))).eval()


def batch():
    torch.manual_seed(1)
    return dict(inputs=[torch.randint(0, 256, (3, 40, 33), dtype=torch.uint8)],
                data_samples=[SegDataSample(
                    metainfo=dict(ori_shape=(50, 41), img_shape=(40, 33)),
                    gt_sem_seg=PixelData(data=torch.zeros(1, 50, 41, dtype=torch.long)))])


def step(model):
    return model.test_step(batch())[0]


@pytest.fixture
def register():
    added = []

    def add(cls):
        MODELS.register_module(module=cls)
        added.append(cls.__name__)
        return cls
    yield add
    for name in added:
        del MODELS.module_dict[name]


def test_our_own_test_gives_the_same_bytes(lent):
    lent.remove()
    plain = build().test_step(batch())[0].pred_sem_seg.data
    lent.install()
    assert torch.equal(step(build()).pred_sem_seg.data, plain)
    assert 'seg_logits' not in step(build())


def test_our_validation_losses_are_the_same(lent):
    lent.remove()
    model = build()
    model.with_val_losses = True
    plain = model.val_step(batch())[0].losses
    lent.install()
    model = build()
    model.with_val_losses = True
    assert model.val_step(batch())[0].losses == plain


@pytest.mark.parametrize('name', [
    'forward', 'predict', 'inference', 'whole_inference', 'encode_decode',
    'postprocess_result'])
def test_a_step_that_a_class_overrides_is_taken(lent, name):
    calls = []

    def spy(self, *args, **kwargs):
        calls.append(name)
        return getattr(EncoderDecoder, name)(self, *args, **kwargs)

    sample = step(build(type('Mine', (EncoderDecoder,), {name: spy})))
    assert calls == [name]
    assert sample.pred_sem_seg.data.shape == (1, 50, 41)
    assert sample.seg_logits.data.shape == (3, 50, 41)


def test_sliding_that_a_class_overrides_is_taken(lent):
    class Mine(EncoderDecoder):
        def slide_inference(self, inputs, batch_img_metas):
            return inputs.new_ones(len(inputs), 3, *inputs.shape[2:]).cumsum(1)

    model = build(Mine, test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(16, 16)))
    assert (step(model).pred_sem_seg.data == 2).all()


def test_a_head_from_elsewhere_sees_logits_of_the_size_of_the_input(lent, register):
    from mmseg.models import FCNHead
    seen = []

    @register
    class _Watching(FCNHead):
        def predict_by_feat(self, seg_logits, batch_img_metas):
            logits = super().predict_by_feat(seg_logits, batch_img_metas)
            seen.append(tuple(logits.shape[2:]))
            return logits

    step(build(head='_Watching'))
    assert seen == [(64, 64)]  # 40 by 33, padded


def test_a_head_from_elsewhere_is_told_all_that_is_known(lent, register):
    from mmseg.models import FCNHead
    seen = []

    @register
    class _Asking(FCNHead):
        def predict(self, inputs, batch_img_metas, test_cfg):
            seen.append(batch_img_metas[0]['img_path'])
            return self.predict_by_feat(self.forward(inputs), batch_img_metas)

    data = batch()
    data['data_samples'][0].set_metainfo(dict(img_path='x.png'))
    assert build(head='_Asking').test_step(data)[0].pred_sem_seg.data.shape == (1, 50, 41)
    assert seen == ['x.png']


def test_a_label_that_a_class_loads_its_own_way(lent, tmp_path):
    import cv2
    import numpy as np
    from mmseg.datasets.transforms import LoadAnnotations

    class Mine(LoadAnnotations):
        def _load_seg_map(self, results):
            super()._load_seg_map(results)
            results['gt_seg_map'] = results['gt_seg_map'] + 1

    file = str(tmp_path / 'label.png')
    cv2.imwrite(file, np.arange(6, dtype=np.uint8).reshape(2, 3))
    results = dict(seg_map_path=file, seg_fields=[], label_map=None, reduce_zero_label=False)
    assert Mine()(dict(results))['gt_seg_map'].tolist() == [[1, 2, 3], [4, 5, 6]]
    plain = LoadAnnotations()(dict(results))
    assert plain['gt_seg_map'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert plain['seg_fields'] == ['gt_seg_map']


def test_a_head_from_elsewhere_reads_keys_of_its_own(lent, register):
    from mmseg.models import FCNHead

    @register
    class _Reading(FCNHead):
        def predict(self, inputs, batch_img_metas, test_cfg):
            return super().predict(inputs, batch_img_metas, test_cfg) * test_cfg['temperature']

        def forward(self, inputs):
            return super().forward(inputs)

    model = build(head='_Reading', test_cfg=dict(mode='whole', temperature=0.5))
    assert step(model).pred_sem_seg.data.shape == (1, 50, 41)
    with pytest.raises(ValueError, match='temperature'):
        build(test_cfg=dict(mode='whole', temperature=0.5))


def test_visualizer_takes_classes_of_a_data_set(lent):
    visualizer = SegLocalVisualizer()
    visualizer.set_dataset_meta(['a'], [[1, 2, 3]])
    assert visualizer.dataset_meta == dict(classes=['a'], palette=[[1, 2, 3]])
    visualizer.set_dataset_meta(dataset_name='stare')
    assert len(visualizer.dataset_meta['classes']) == 2
    visualizer.set_dataset_meta()
    assert len(visualizer.dataset_meta['palette']) == 19


def test_an_error_is_caught_as_what_mmsegmentation_raises(lent):
    for kind in (AssertionError, TypeError, KeyError, ValueError):
        with pytest.raises(kind, match='no such input_transform') as caught:
            MODELS.build(dict(HEAD, type='FCNHead', input_transform='sum'))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)  # a KeyError would quote it
    lent.remove()
    assert not isinstance(caught.value, AssertionError)
    lent.install()


def test_labels_are_int64_as_mmsegmentations_are(lent):
    """Those of a training and of a test; segplug's own keep the bytes that they were read in."""
    data = batch()
    label = torch.full((1, 50, 41), 200, dtype=torch.uint8)
    data['data_samples'][0].gt_sem_seg.data = label
    processor = build().data_preprocessor
    sample, = processor.cast_data(data)['data_samples']
    assert sample.gt_sem_seg.data.dtype == torch.long
    assert (sample.gt_sem_seg.data * 3 == 600).all()
    assert build().test_step(data)[0].gt_sem_seg.data.dtype == torch.long
    lent.remove()
    assert processor.cast_data(data)['data_samples'][0].gt_sem_seg.data.dtype == torch.uint8
    lent.install()


def test_a_name_that_mmsegmentation_lacks_is_a_plugins_to_take(lent, monkeypatch):
    """DenseNet is segplug's alone; FCNHead is mmsegmentation's, too."""
    monkeypatch.setattr(MODELS, '_module_dict', dict(MODELS._module_dict))
    theirs = type('DenseNet', (torch.nn.Module,), dict(__module__='elsewhere'))
    MODELS.register_module(module=theirs)
    assert MODELS.get('DenseNet') is theirs
    with pytest.raises(ConfigError, match='Two packages register'):
        MODELS.register_module(module=type('DenseNet', (), dict(__module__='third')))
    with pytest.raises(ConfigError, match='Two packages register'):
        MODELS.register_module('FCNHead', module=theirs)
    lent.remove()
    with pytest.raises(ConfigError, match='Two packages register'):
        MODELS.register_module('SENet', module=theirs)
    lent.install()


def test_what_mmsegmentations_test_script_sets_has_no_effect(lent):
    from mmengine.config import Config

    from segplug.compat.mmseg.bridge import _drop_without_effect
    metric = dict(type='IoUMetric', output_dir='out', keep_results=True)
    cfg = Config(dict(test_evaluator=metric, val_evaluator=[
        metric, dict(type='CityscapesMetric', keep_results=True)]))
    _drop_without_effect(cfg)
    assert cfg.test_evaluator == dict(type='IoUMetric', output_dir='out')
    assert ['keep_results' in part for part in cfg.val_evaluator] == [False, True]
