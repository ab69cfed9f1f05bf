"""SegDataSample holds PixelData under mmsegmentation's names."""

import pytest
import torch
from mmengine.structures import PixelData

from segplug.structures import META_KEYS, SegDataSample


@pytest.mark.parametrize('field', ['gt_sem_seg', 'pred_sem_seg', 'seg_logits'])
def test_each_field_is_set_read_and_deleted(field):
    sample = SegDataSample(metainfo=dict(img_path='a.png'))
    pixels = PixelData(data=torch.zeros(1, 4, 6))
    setattr(sample, field, pixels)
    assert getattr(sample, field) is pixels
    assert sample.to_dict()[field]['data'].shape == (1, 4, 6)
    delattr(sample, field)
    assert field not in sample


def test_a_field_that_is_not_pixel_data_is_refused():
    with pytest.raises(AssertionError):
        SegDataSample().gt_sem_seg = torch.zeros(1, 4, 6)


def test_the_table_names_what_mmsegmentation_packs():
    published = {'img_path', 'seg_map_path', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor',
                 'flip', 'flip_direction', 'reduce_zero_label'}
    assert published < set(META_KEYS)


def test_a_loader_pins_its_maps(monkeypatch):
    """Without a GPU torch refuses to pin; what it is asked to pin is what counts here."""
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda self: self + 100)
    sample = SegDataSample(metainfo=dict(img_path='a.png'), losses=dict(loss=1.),
                           gt_edge_map=PixelData(data=torch.ones(1, 2, 2)))
    sample.gt_sem_seg = PixelData(data=torch.zeros(1, 2, 2))
    pinned = torch.utils.data._utils.pin_memory.pin_memory([sample])[0]
    assert pinned.img_path == 'a.png'
    assert pinned.losses == dict(loss=1.)
    assert pinned.gt_sem_seg.data.unique().tolist() == [100]
    assert pinned.gt_edge_map.data.unique().tolist() == [101]
    assert sample.gt_sem_seg.data.unique().tolist() == [0]
