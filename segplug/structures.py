"""What travels beside the pixels of one image, from the pipeline to the metric.

The names are mmsegmentation's, so that third-party transforms, heads and metrics find them.
"""

import torch
from mmengine.structures import BaseDataElement, PixelData

# Each metainfo key a pipeline may set: its meaning, once. PackSegInputs hands on every key
# of this table that the results hold.
META_KEYS: dict[str, str] = {
    'sample_idx': 'int, index of the sample in its data set',
    'img_path': 'str, file of the image',
    'seg_map_path': 'str, file of the label',
    'ori_shape': '(H, W) of the image as it lies on disk',
    'img_shape': '(H, W) of the image as packed',
    'pad_shape': '(H, W) after padding',
    'padding_size': '(left, right, top, bottom) pixels that the preprocessor added',
    'scale_factor': '(w, h) by which the image was resized',
    'flip': 'bool, whether the image was mirrored',
    'flip_direction': "'horizontal', 'vertical', 'diagonal' or None",
    'reduce_zero_label': 'bool, whether label 0 became ignore and the others moved down',
}


class SegDataSample(BaseDataElement):
    """Labels, predictions and metainfo (`META_KEYS`) of one image.

    Attributes:
        gt_sem_seg: PixelData whose ``data`` is (1, H, W) integer, class id or ignore.
        pred_sem_seg: PixelData whose ``data`` is (1, H, W) integer class id.
        seg_logits: PixelData whose ``data`` is (K, H, W) float.
        losses: Of a validated image, each loss by name, and their sum as 'loss'.
        pred_is_finite: () bool tensor on the model's device, where the test step sets it: False
            says that the network gave nan and the prediction means nothing.
    """

    @property
    def gt_sem_seg(self) -> PixelData:
        return self._gt_sem_seg

    @gt_sem_seg.setter
    def gt_sem_seg(self, value: PixelData) -> None:
        self.set_field(value, '_gt_sem_seg', dtype=PixelData)

    @gt_sem_seg.deleter
    def gt_sem_seg(self) -> None:
        del self._gt_sem_seg

    @property
    def pred_sem_seg(self) -> PixelData:
        return self._pred_sem_seg

    @pred_sem_seg.setter
    def pred_sem_seg(self, value: PixelData) -> None:
        self.set_field(value, '_pred_sem_seg', dtype=PixelData)

    @pred_sem_seg.deleter
    def pred_sem_seg(self) -> None:
        del self._pred_sem_seg

    @property
    def seg_logits(self) -> PixelData:
        return self._seg_logits

    @seg_logits.setter
    def seg_logits(self, value: PixelData) -> None:
        self.set_field(value, '_seg_logits', dtype=PixelData)

    @seg_logits.deleter
    def seg_logits(self) -> None:
        del self._seg_logits

    def pin_memory(self) -> 'SegDataSample':
        """The same with its maps in pinned memory, for a DataLoader that copies to a GPU."""
        pinned = self.new()
        for name, field in self.items():
            if isinstance(field, PixelData):
                setattr(pinned, name, PixelData(metainfo=field.metainfo, **{
                    k: v.pin_memory() if isinstance(v, torch.Tensor) else v
                    for k, v in field.items()}))
        return pinned
