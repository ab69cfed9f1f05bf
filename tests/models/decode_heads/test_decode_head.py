import pytest
import torch
from mmengine.structures import PixelData
from torch import nn

from segplug.errors import ConfigError
from segplug.models.decode_heads import BaseDecodeHead
from segplug.models.losses import CrossEntropyLoss
from segplug.registry import MODELS, TASK_UTILS
from segplug.structures import SegDataSample


class Plain(BaseDecodeHead):
    """A head as third parties write them: open keywords, nothing but the classifier."""

    def __init__(self, **kwargs):
        super().__init__(**{**dict(in_channels=2, channels=2, num_classes=3), **kwargs})

    def forward(self, inputs):
        return self.cls_seg(self._transform_inputs(inputs))


def _samples(label: torch.Tensor) -> list[SegDataSample]:
    samples = [SegDataSample() for _ in label]
    for sample, one in zip(samples, label, strict=True):
        sample.gt_sem_seg = PixelData(data=one[None])
    return samples


def test_third_party_keywords_reach_the_base_and_unknown_ones_raise():
    assert Plain(ignore_index=7).ignore_index == 7
    with pytest.raises(TypeError, match='ignore_idx'):
        Plain(ignore_idx=7)


def test_dropout():
    assert Plain().dropout.p == 0.1
    assert Plain(dropout_ratio=0).dropout is None


def test_classifier_starts_small():
    head = Plain(channels=64, in_channels=64)
    head.init_weights()
    assert head.conv_seg.weight.std().item() == pytest.approx(0.01, rel=0.3)


def test_input_transforms():
    levels = [torch.rand(1, 2, 4, 6), torch.rand(1, 3, 2, 3), torch.rand(1, 5, 1, 2)]
    assert Plain(in_channels=3, channels=3, in_index=1)._transform_inputs(levels) is levels[1]
    chosen = Plain(in_channels=[5, 2], in_index=[2, 0],
                   input_transform='multiple_select')._transform_inputs(levels)
    assert chosen[0] is levels[2]
    assert chosen[1] is levels[0]
    head = Plain(in_channels=[3, 2, 5], in_index=[1, 0, 2], input_transform='resize_concat')
    joined = head._transform_inputs(levels)
    assert head.in_channels == 10
    assert joined.shape == (1, 10, 2, 3)
    assert torch.equal(joined[:, :3], levels[1])


def test_several_losses_are_added_by_name():
    """Uniform logits: each cross entropy is log 3. Two of one name add up, 1 + 0.5."""
    ce = dict(type='CrossEntropyLoss')
    head = Plain(loss_decode=[ce, {**ce, 'loss_weight': 0.5}, {**ce, 'loss_name': 'loss_b'}])
    losses = head.loss_by_feat(torch.zeros(2, 3, 2, 2),
                               _samples(torch.zeros(2, 4, 4, dtype=torch.uint8)))
    log3 = torch.tensor(3.0).log().item()
    assert losses['loss_ce'].item() == pytest.approx(1.5 * log3)
    assert losses['loss_b'].item() == pytest.approx(log3)
    assert set(losses) == {'loss_ce', 'loss_b', 'acc_seg'}


def test_logits_are_brought_to_the_label_as_align_corners_says():
    """Logit difference 0..3 over 2 pixels; at 4 with corners aligned 0, 1, 2, 3."""
    logits = torch.zeros(1, 3, 1, 2)
    logits[0, 0, 0, 1] = 3
    samples = _samples(torch.zeros(1, 1, 4, dtype=torch.uint8))
    loss = Plain(align_corners=True).loss_by_feat(logits, samples)['loss_ce']
    by_hand = -torch.tensor([0.0, 1, 2, 3]).exp().div(
        torch.tensor([0.0, 1, 2, 3]).exp() + 2).log().mean()
    assert loss.item() == pytest.approx(by_hand.item())


@pytest.mark.parametrize('loss', [
    dict(loss_weight=0.4), dict(avg_non_ignore=True), dict(class_weight=[1.0, 2.0, 0.5]),
    dict(class_weight=[1.0, 2.0, 0.5], avg_non_ignore=True, reduction='sum')], ids=str)
@pytest.mark.parametrize('align_corners', [False, True])
def test_a_plain_cross_entropy_is_that_of_resized_logits(loss, align_corners):
    """A list of one loss goes by resized logits, a loss by itself does not."""
    loss = dict(type='CrossEntropyLoss', **loss)
    label = torch.randint(0, 3, (2, 9, 14), generator=torch.Generator().manual_seed(0)).byte()
    label[:, 2:4] = 255
    found = []
    for loss_decode in (loss, [loss]):
        torch.manual_seed(0)
        logits = torch.randn(2, 3, 4, 7, requires_grad=True)
        losses = Plain(loss_decode=loss_decode, align_corners=align_corners).loss_by_feat(
            logits, _samples(label))
        (3 * losses['loss_ce']).backward()
        found.append((losses['loss_ce'].detach(), losses['acc_seg'], logits.grad))
    for ours, plain in zip(*found, strict=True):
        torch.testing.assert_close(ours, plain)


def test_a_loss_that_asks_for_more_sees_resized_logits():
    class Own(CrossEntropyLoss):
        def forward(self, cls_score, label, **more):
            assert cls_score.shape[2:] == label.shape[1:]
            return super().forward(cls_score, label, **more)

    head, label = Plain(), _samples(torch.zeros(1, 4, 4, dtype=torch.uint8))
    for criterion in (Own(), CrossEntropyLoss(reduction='none')):
        head.loss_decode = criterion
        assert not criterion.takes_small_logits
        loss = head.loss_by_feat(torch.zeros(1, 3, 2, 2), label)['loss_ce']
    assert loss.shape == (1, 4, 4)


def test_sampler_gives_the_pixel_weights():
    @TASK_UTILS.register_module(force=True)
    class FirstColumn:
        def __init__(self, context):
            self.context = context

        def sample(self, seg_logit, seg_label):
            weight = torch.zeros(seg_label.shape[0], *seg_label.shape[2:])
            weight[..., 0] = 1
            return weight

    head = Plain(sampler=dict(type='FirstColumn'))
    assert head.sampler.context is head
    losses = head.loss_by_feat(torch.zeros(1, 3, 2, 4),
                               _samples(torch.zeros(1, 2, 4, dtype=torch.uint8)))
    # one column of four counts: log(3) / 4
    assert losses['loss_ce'].item() == pytest.approx(torch.tensor(3.0).log().item() / 4)


def test_binary_by_one_channel():
    head = Plain(num_classes=2, out_channels=1,
                 loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))
    assert head.threshold == 0.3
    assert head.conv_seg.out_channels == 1
    assert Plain(num_classes=2, out_channels=1, threshold=0.5).threshold == 0.5
    assert Plain().threshold is None
    losses = head.loss_by_feat(torch.zeros(1, 1, 2, 2),
                               _samples(torch.ones(1, 2, 2, dtype=torch.uint8)))
    assert losses['loss_ce'].item() == pytest.approx(torch.tensor(2.0).log().item())
    assert losses['acc_seg'].item() == 100  # sigmoid(0) = 0.5 > 0.3


@pytest.mark.parametrize(('wrong', 'text'), [
    (dict(out_channels=2), 'out_channels=2, num_classes=3'),
    (dict(num_classes=0), 'num_classes=0.*1 or more'),
    (dict(input_transform='resize'), "'resize'"),
    (dict(in_channels=[2, 3]), 'one level'),
    (dict(in_index=[0, 1]), 'one level'),
    (dict(in_channels=[2, 3], in_index=[0], input_transform='resize_concat'), 'one length'),
    (dict(input_transform='multiple_select'), 'several levels'),
])
def test_arguments_that_do_not_fit(wrong, text):
    with pytest.raises(ConfigError, match=text):
        Plain(**wrong)


def test_a_single_loss_keeps_its_published_place():
    @MODELS.register_module(force=True)
    class Weighted(nn.Module):
        loss_name = 'loss_weighted'

        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.ones(1))

    assert 'loss_decode.factor' in Plain(loss_decode=dict(type='Weighted')).state_dict()
    assert 'loss_decode.0.factor' in Plain(loss_decode=[dict(type='Weighted')]).state_dict()
