"""The mean over augmentations that a pipeline made."""

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.structures import PixelData

from segplug.errors import ConfigError
from segplug.registry import MODELS
from segplug.structures import SegDataSample


class Fixed(BaseModel):
    """Says what comes in."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        for logits, sample in zip(inputs, data_samples, strict=True):
            sample.seg_logits = PixelData(data=logits)
        return data_samples


def test_probabilities_are_averaged(lent):
    model = MODELS.build(dict(type='SegTTAModel', module=Fixed()))
    # One pixel, two classes. Softmax: (0.982, 0.018) and (0.119, 0.881): the mean is class 0;
    # of the logits it is, too; then with 6 in place of 2 only of the logits it is class 1.
    for other, expected in ((2.0, 0), (6.0, 0)):
        views = [torch.tensor([4.0, 0.0]).view(2, 1, 1), torch.tensor([0.0, other]).view(2, 1, 1)]
        data = dict(inputs=[[view] for view in views],
                    data_samples=[[SegDataSample()], [SegDataSample()]])
        sample, = model.test_step(data)
        mean = sum(view.softmax(0) for view in views) / 2
        expected = int(mean.argmax(0))
        assert sample.pred_sem_seg.data.tolist() == [[[expected]]]


def test_a_ragged_batch(lent):
    from mmseg.models import SegTTAModel
    with pytest.raises(ConfigError, match='TestTimeAug'):
        SegTTAModel(Fixed()).test_step(dict(inputs=[1, 2], data_samples=[1]))


def test_weights_are_the_segmentors(lent):
    from mmseg.models import SegTTAModel
    inner = torch.nn.Conv2d(1, 1, 1)
    inner.test_step = None
    model = SegTTAModel(inner)
    assert set(model.state_dict()) == {'weight', 'bias'}
    model.load_state_dict({'weight': torch.ones(1, 1, 1, 1), 'bias': torch.zeros(1)})
    assert inner.weight.item() == 1
