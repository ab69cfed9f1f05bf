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
