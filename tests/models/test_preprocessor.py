import pytest
import torch
from mmengine.structures import LabelData, PixelData

from segplug.errors import ConfigError, ShapeError
from segplug.models.preprocessor import SegDataPreProcessor
from segplug.structures import SegDataSample


def _sample(h: int, w: int, **fields) -> SegDataSample:
    sample = SegDataSample(metainfo=dict(ori_shape=(h, w)))
    sample.gt_sem_seg = PixelData(data=torch.ones(1, h, w, dtype=torch.uint8))
    for name, data in fields.items():
        setattr(sample, name, PixelData(data=data))
    return sample


def _images(*sizes: tuple[int, int]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, *s), dtype=torch.uint8, generator=generator)
            for s in sizes]


def _preprocessor(**kwargs) -> SegDataPreProcessor:
    return SegDataPreProcessor(**{**dict(mean=[10, 20, 30], std=[2, 4, 5], bgr_to_rgb=True),
                                  **kwargs})


def test_swap_comes_before_normalisation():
    """BGR 30, 24, 12 is RGB 12, 24, 30: (12-10)/2, (24-20)/4, (30-30)/5."""
    img = torch.tensor([30, 24, 12], dtype=torch.uint8).view(3, 1, 1)
    out = _preprocessor()(dict(inputs=[img]))['inputs']
    assert out.dtype == torch.float32
    assert out.flatten().tolist() == [1, 1, 0]
    # the same for float images, and they stay as they are
    img = img.float()
    assert _preprocessor()(dict(inputs=[img]))['inputs'].flatten().tolist() == [1, 1, 0]
    assert img.flatten().tolist() == [30, 24, 12]


def test_without_mean_only_the_type_changes():
    img = _images((2, 2))
    out = SegDataPreProcessor()(dict(inputs=img))['inputs']
    assert torch.equal(out[0], img[0].float())


def test_training_pads_right_and_bottom_after_normalising():
    images, samples = _images((3, 4)), [_sample(3, 4)]
    data = _preprocessor(size=(5, 6), pad_val=0, seg_pad_val=255)(
        dict(inputs=images, data_samples=samples), training=True)
    assert data['inputs'].shape == (1, 3, 5, 6)
    assert (data['inputs'][..., 3:, :] == 0).all()
    assert (data['inputs'][..., 4:] == 0).all()
    label = data['data_samples'][0].gt_sem_seg.data
    assert label.dtype == torch.uint8
    assert label.shape == (1, 5, 6)
    assert (label == 1).sum() == 12
    assert (label == 255).sum() == 30 - 12
    meta = data['data_samples'][0].metainfo
    assert meta['img_shape'] == (3, 4)
    assert meta['pad_shape'] == (5, 6)
    assert meta['padding_size'] == (0, 2, 0, 2)


@pytest.mark.parametrize(('padding', 'target'), [
    (dict(), (6, 5)),                    # the largest height and the largest width
    (dict(size_divisor=4), (8, 8)),      # rounded up to multiples of 4
    (dict(size=(4, 10)), (6, 10)),       # an image higher than size keeps its height
])
def test_unequal_sizes_in_one_batch(padding, target):
    images = _images((3, 5), (6, 2))
    alone = [_preprocessor()(dict(inputs=[img]))['inputs'][0] for img in images]
    data = _preprocessor(**padding)(
        dict(inputs=images, data_samples=[_sample(3, 5), _sample(6, 2)]), training=True)
    assert data['inputs'].shape == (2, 3, *target)
    assert torch.equal(data['inputs'][0, :, :3, :5], alone[0])
    assert torch.equal(data['inputs'][1, :, :6, :2], alone[1])
    for out, sample in zip(data['inputs'], data['data_samples'], strict=True):
        assert sample.gt_sem_seg.data.shape == (1, *target)
        assert torch.equal(sample.gt_sem_seg.data[0] == 1, out.abs().sum(0) > 0)


def test_a_test_pads_by_test_cfg_alone():
    images, samples = _images((3, 5)), [_sample(3, 5)]
    data = dict(inputs=images, data_samples=samples)
    assert _preprocessor(size=(8, 8))(data)['inputs'].shape == (1, 3, 3, 5)
    out = _preprocessor(size=(9, 9), test_cfg=dict(size_divisor=4))(data)
    assert out['inputs'].shape == (1, 3, 4, 8)
    assert out['data_samples'][0].metainfo['padding_size'] == (0, 3, 0, 1)


def test_prepare_is_the_test_of_one_augmentation():
    pre = _preprocessor(test_cfg=dict(size_divisor=4))
    images = _images((3, 5), (3, 5))
    batch, valid = pre.prepare(torch.stack(images))
    assert valid == (3, 5)
    assert torch.equal(batch, pre(dict(inputs=images))['inputs'])


def test_other_maps_of_ground_truth_are_padded_along():
    sample = _sample(3, 4, gt_edge_map=torch.zeros(1, 3, 4))
    sample.gt_classes = LabelData(item=torch.arange(19))
    data = _preprocessor(size=(4, 4))(
        dict(inputs=_images((3, 4)), data_samples=[sample]), training=True)
    assert data['data_samples'][0].gt_edge_map.data.shape == (1, 4, 4)
    assert data['data_samples'][0].gt_classes.item.shape == (19,)


def test_a_label_of_another_size_is_refused_in_training_and_left_alone_in_a_test():
    data = dict(inputs=_images((2, 2)), data_samples=[_sample(4, 4)])
    with pytest.raises(ShapeError, match=r'gt_sem_seg.*\(4, 4\).*\(2, 2\)'):
        _preprocessor()(data, training=True)
    out = _preprocessor(test_cfg=dict(size=(3, 3)))(data)['data_samples'][0]
    assert out.gt_sem_seg.data.shape == (1, 4, 4)
    assert out.pad_shape == (3, 3)


def test_batch_augments_run_in_training_alone():
    def double(inputs, samples):
        return 2 * inputs, samples

    pre, data = _preprocessor(batch_augments=[double]), dict(inputs=_images((2, 2)))
    assert torch.equal(pre(data, training=True)['inputs'], 2 * pre(data)['inputs'])


def test_published_checkpoints_hold_no_mean():
    assert not _preprocessor().state_dict()


@pytest.mark.parametrize('images', [
    [torch.zeros(1, 2, 2)],
    [torch.zeros(3, 2, 2), torch.zeros(4, 2, 2)],
    [torch.zeros(2, 2)],
])
def test_wrong_channels_are_refused(images):
    with pytest.raises(ShapeError, match='C = 3'):
        _preprocessor()(dict(inputs=images))


@pytest.mark.parametrize('wrong', [
    dict(rgb_to_bgr=True), dict(std=None), dict(size_divisor=4, size=(4, 4)),
    dict(test_cfg=dict(divisor=4))])
def test_arguments_that_exclude_each_other(wrong):
    with pytest.raises(ConfigError) as error:
        _preprocessor(**wrong)
    assert error.value.culprit in (*wrong, 'mean', 'divisor')


def test_what_subclasses_written_for_mmsegmentation_read():
    plain = SegDataPreProcessor(size=(4, 6))
    assert not hasattr(plain, 'mean')
    assert not plain._enable_normalize
    assert (plain.size, plain.size_divisor, plain.test_cfg) == ((4, 6), None, None)
    normal = SegDataPreProcessor(mean=[0, 0, 0], std=[1, 1, 1], test_cfg=dict(size_divisor=8))
    assert normal._enable_normalize
    assert normal.mean.shape == normal.std.shape == (3, 1, 1)
    assert normal.test_cfg == dict(size_divisor=8)
