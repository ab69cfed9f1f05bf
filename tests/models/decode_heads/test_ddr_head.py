import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from segplug.errors import ConfigError
from segplug.models.decode_heads import DDRHead
from segplug.structures import SegDataSample

CE = dict(type='CrossEntropyLoss')
OPTIONS = dict(in_channels=8, channels=4, num_classes=3, dropout_ratio=0,
               loss_decode=[CE, dict(CE, loss_weight=0.4)])


@pytest.fixture
def levels():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 4, 4, 6, generator=generator), torch.randn(2, 8, 4, 6,
                                                                     generator=generator)


def test_a_test_gives_the_result_and_training_the_detail_too(levels):
    head = DDRHead(**OPTIONS)
    both = head.train()(levels)
    assert [tuple(x.shape) for x in both] == [(2, 3, 4, 6)] * 2
    result = head.eval()(levels)
    assert torch.equal(result, head.conv_seg(head.head(levels[1])))
    assert torch.equal(result, head.predict(levels, [dict(pad_shape=(8, 12))], None))


def test_the_loss_is_that_of_both_at_the_size_of_the_label(levels):
    """Whether the head is in training or in a validation, which has the loss as well."""
    head = DDRHead(**OPTIONS).eval()
    label = torch.randint(0, 3, (2, 8, 12))
    label[:, :2] = 255
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one[None])) for one in label]
    losses = head.loss(levels, samples)
    assert not head.loss_is_of_logits
    assert set(losses) == {'loss_context', 'loss_spatial', 'acc_seg'}
    for name, logits, weight in (('loss_context', head.conv_seg(head.head(levels[1])), 1.0),
                                 ('loss_spatial', head.aux_cls_seg(head.aux_head(levels[0])),
                                  0.4)):
        logits = F.interpolate(logits, (8, 12), mode='bilinear', align_corners=False)
        expected = weight * F.cross_entropy(logits, label, ignore_index=255,
                                            reduction='sum') / label.numel()
        assert torch.allclose(losses[name], expected)


@pytest.mark.parametrize('losses', [CE, [CE], [CE] * 3])
def test_it_has_two_losses(losses):
    with pytest.raises(ConfigError, match='a list of 2'):
        DDRHead(**{**OPTIONS, 'loss_decode': losses})


def test_names_of_published_weights():
    names = {k.rsplit('.', 1)[0] for k in DDRHead(**OPTIONS).state_dict()}
    assert names == {'conv_seg', 'aux_cls_seg', *(
        f'{part}.{end}' for part in ('head', 'aux_head') for end in ('0.conv', '0.bn', '1'))}
