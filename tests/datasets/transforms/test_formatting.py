"""PackSegInputs: layout, types, metainfo."""

import numpy as np
import pytest
import torch

from segplug.datasets.transforms.formatting import PackSegInputs, channels_first

RNG = np.random.default_rng(0)


@pytest.mark.parametrize('shape', [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 5)])
@pytest.mark.parametrize('dtype', [np.uint8, np.float32, np.uint16])
def test_channels_come_first(shape, dtype):
    img = RNG.integers(0, 256, shape).astype(dtype)
    packed = channels_first(img)
    assert packed.is_contiguous()
    np.testing.assert_array_equal(packed.numpy(), np.moveaxis(img.reshape(4, 6, -1), -1, 0))


def test_a_view_is_packed_as_it_looks():
    img = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    for view in (img[2:6, 1:7], img[:, ::-1], img[..., ::-1]):
        np.testing.assert_array_equal(channels_first(view).numpy(), view.transpose(2, 0, 1))


def test_a_sample_is_packed():
    results = dict(img=np.zeros((4, 6, 3), np.uint8), gt_seg_map=np.ones((4, 6), np.uint8),
                   gt_edge_map=np.zeros((4, 6), np.uint8), seg_fields=['gt_seg_map', 'gt_edge_map'],
                   img_path='a.png', sample_idx=3, ori_shape=(8, 12), img_shape=(4, 6), private=1)
    packed = PackSegInputs()(results)
    sample = packed['data_samples']
    assert packed['inputs'].shape == (3, 4, 6)
    assert packed['inputs'].dtype == sample.gt_sem_seg.data.dtype == torch.uint8
    assert sample.gt_sem_seg.data.shape == sample.gt_edge_map.data.shape == (1, 4, 6)
    assert sample.metainfo == dict(img_path='a.png', sample_idx=3, ori_shape=(8, 12),
                                   img_shape=(4, 6))


def test_meta_keys_choose_what_is_handed_on():
    packed = PackSegInputs(meta_keys=['private', 'absent'])(dict(private=1, img_path='a.png'))
    assert packed['data_samples'].metainfo == dict(private=1)
    assert 'inputs' not in packed


def test_labels_of_16_bits_become_int32():
    label = np.array([[0, 65535]], np.uint16)
    packed = PackSegInputs()(dict(img=np.zeros((1, 2, 3), np.uint8), gt_seg_map=label))
    data = packed['data_samples'].gt_sem_seg.data
    assert data.dtype == torch.int32
    assert data.tolist() == [[[0, 65535]]]


def test_labels_of_a_volume_keep_their_three_axes():
    label = np.zeros((2, 3, 4), np.uint8)
    packed = PackSegInputs()(dict(gt_seg_map=label))['data_samples']
    assert packed.gt_sem_seg.data.shape == (2, 3, 4)
