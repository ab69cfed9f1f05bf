import torch
from mmengine.structures import PixelData

from segplug.models.decode_heads import BaseCascadeDecodeHead, OCRHead, PointHead
from segplug.structures import SegDataSample


class _Add(BaseCascadeDecodeHead):
    """Classifies its level and adds the logits before."""

    def forward(self, inputs, prev_output):
        return self.cls_seg(self._transform_inputs(inputs)) + prev_output


def _head() -> _Add:
    torch.manual_seed(0)
    return _Add(4, 4, num_classes=3, dropout_ratio=0)


def test_loss_and_prediction_are_of_both_inputs():
    head, x, before = _head(), [torch.randn(2, 4, 5, 6)], torch.randn(2, 3, 5, 6)
    logits = head.conv_seg(x[0]) + before
    assert torch.equal(head.predict(x, before, [{}] * 2), logits)
    label = torch.randint(0, 3, (2, 5, 6))
    samples = []
    for one in label:
        samples.append(SegDataSample())
        samples[-1].gt_sem_seg = PixelData(data=one[None])
    losses = head.loss(x, before, samples)
    assert torch.allclose(losses['loss_ce'],
                          torch.nn.functional.cross_entropy(logits, label))
    assert losses['acc_seg'] == 100 * (logits.argmax(1) == label).float().mean()


def test_whether_the_loss_is_of_the_logits():
    assert _head().loss_is_of_logits
    assert OCRHead(3, in_channels=4, channels=4, num_classes=3).loss_is_of_logits
    assert not PointHead(in_channels=[4], in_index=[0], channels=4,
                         num_classes=3).loss_is_of_logits
