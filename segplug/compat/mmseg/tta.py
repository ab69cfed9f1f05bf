"""``mmseg.models.SegTTAModel``: the mean over test-time augmentations that a pipeline made.

segplug's own ``--aug-test`` makes them on the device, and needs no such model; this one is for
programs that put it around a segmentor themselves. K classes, H W pixels.
"""

import torch
from mmengine.model import BaseModel, BaseTTAModel
from mmengine.structures import PixelData

from ...errors import ConfigError
from ...structures import SegDataSample


class SegTTAModel(BaseTTAModel):
    """Averages what the steps of mmsegmentation's test say of each augmentation."""

    def test_step(self, data: dict) -> list[SegDataSample]:
        """Augmentations of a batch, one list per key -> its samples with predictions."""
        counts = {len(values) for values in data.values()}
        if len(counts) != 1:
            raise ConfigError('A batch of augmentations differs in their number.', got=counts,
                              fix='end the pipeline with TestTimeAug')
        batches = [dict(zip(data, values, strict=True))
                   for values in zip(*data.values(), strict=True)]
        with torch.no_grad():
            predictions = [BaseModel.test_step(self.module, batch) for batch in batches]
        return self.merge_preds([list(of_image) for of_image in zip(*predictions, strict=True)])

    def state_dict(self, *args, **kwargs) -> dict:
        """The segmentor's: checkpoints hold no more."""
        return self.module.state_dict(*args, **kwargs)

    def load_state_dict(self, *args, **kwargs):
        """Into the segmentor."""
        return self.module.load_state_dict(*args, **kwargs)

    def merge_preds(self, data_samples_list: list[list[SegDataSample]]) -> list[SegDataSample]:
        """Samples of each augmentation, per image -> the first of each, with the mean."""
        return [self._merged(samples) for samples in data_samples_list]

    def _merged(self, samples: list[SegDataSample]) -> SegDataSample:
        logits = [sample.seg_logits.data for sample in samples]
        if len(logits[0]) == 1:  # probabilities already
            head = getattr(self.module, 'main_head', None) or self.module.decode_head
            labels = (sum(logits) / len(logits) > head.threshold).long()
        else:
            labels = sum(x.softmax(dim=0) for x in logits).argmax(dim=0, keepdim=True)
        samples[0].set_data(dict(pred_sem_seg=PixelData(data=labels)))
        return samples[0]
