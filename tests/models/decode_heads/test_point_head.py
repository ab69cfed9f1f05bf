import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from segplug.errors import ConfigError
from segplug.models.decode_heads import PointHead
from segplug.models.decode_heads.point_head import (
    hardest_pixels,
    training_points,
    uncertainty,
)
from segplug.models.layers import point_sample
from segplug.structures import SegDataSample


def _head(num_classes: int = 3, **options) -> PointHead:
    torch.manual_seed(0)
    head = PointHead(in_channels=[4], in_index=[0], channels=5, num_classes=num_classes,
                     dropout_ratio=0, **options)
    for p in head.parameters():
        p.data.uniform_(-0.5, 0.5)
    return head


def _sample(label: torch.Tensor) -> SegDataSample:
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=label[None])
    return sample


# --- points ----------------------------------------------------------------------------------

def test_uncertainty_is_the_lead_of_the_best_class():
    logits = torch.tensor([[1., 4.], [3., 4.], [2.5, 0.]])[None]
    assert uncertainty(logits).tolist() == [[-0.5, 0.]]
    assert uncertainty(torch.tensor([[[2., -3.]]])).tolist() == [[-2., -3.]]


def test_hardest_pixels_and_their_centres():
    logits = torch.zeros(1, 2, 2, 4)
    logits[0, 0] = torch.tensor([[5., 4., 9., 9.], [9., 1., 9., 2.]])
    index, points = hardest_pixels(logits, 2)
    assert index.tolist() == [[5, 7]]  # second row, columns 1 and 3
    assert points.tolist() == [[[1.5 / 4, 1.5 / 2], [3.5 / 4, 1.5 / 2]]]


def test_no_more_pixels_than_there_are():
    index, points = hardest_pixels(torch.rand(2, 3, 2, 2), 100)
    assert index.sort(1).values.tolist() == [[0, 1, 2, 3]] * 2
    assert points.shape == (2, 4, 2)


def test_a_share_of_the_training_points_are_the_hardest_candidates():
    """Left half class 0, right half class 1: logits change between columns 2 and 3 of 6."""
    logits = torch.tensor([4., 4., 4., -4., -4., -4.]).expand(2, 1, 6, 6)
    logits = torch.cat([logits, -logits], dim=1)
    points = training_points(logits, num_points=40, oversample_ratio=3,
                             importance_sample_ratio=0.25,
                             generator=torch.Generator().manual_seed(0))
    assert points.shape == (2, 40, 2)
    candidates = torch.rand(2, 120, 2, generator=torch.Generator().manual_seed(0))
    for n in range(2):
        # On a line through the middle, so the nearest to it are the hardest. The edges of the
        # image are as sure as its outermost pixels.
        hardest = candidates[n][(candidates[n, :, 0] - 0.5).abs().argsort()[:10]]
        assert (hardest[:, 0] - 0.5).abs().max() < 1 / 12
        assert torch.equal(points[n, :10], hardest)


# --- network ---------------------------------------------------------------------------------

def test_published_layout():
    head = PointHead(in_channels=[256], in_index=[0], channels=256, num_classes=19)
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items() if 'weight' in k}
    assert shapes == {
        'fcs.0.conv.weight': (256, 275, 1), 'fcs.1.conv.weight': (256, 275, 1),
        'fcs.2.conv.weight': (256, 275, 1), 'fc_seg.weight': (19, 275, 1)}
    alone = PointHead(in_channels=[256], in_index=[0], channels=256, num_classes=19,
                      coarse_pred_each_layer=False)
    assert [fc.conv.in_channels for fc in alone.fcs] == [275, 256, 256]
    assert alone.fc_seg.in_channels == 256


@torch.no_grad()
def test_each_layer_sees_the_coarse_logits():
    head, fine, coarse = _head(num_fcs=2), torch.randn(2, 4, 7), torch.randn(2, 3, 7)
    x = torch.cat([fine, coarse], dim=1)
    for fc in head.fcs:
        x = F.relu(torch.einsum('oi,nip->nop', fc.conv.weight[..., 0], x)
                   + fc.conv.bias[:, None])
        x = torch.cat([x, coarse], dim=1)
    x = torch.einsum('oi,nip->nop', head.fc_seg.weight[..., 0], x) + head.fc_seg.bias[:, None]
    assert torch.allclose(head(fine, coarse), x, atol=1e-6)


# --- training --------------------------------------------------------------------------------

def test_the_loss_is_at_the_points():
    head = _head().train()
    levels, coarse = [torch.randn(2, 4, 8, 8)], torch.randn(2, 3, 4, 4)
    label = torch.randint(0, 3, (2, 16, 16))
    label[:, :4] = 255
    cfg = dict(num_points=50, oversample_ratio=2, importance_sample_ratio=0.5)
    torch.manual_seed(3)
    losses = head.loss(levels, coarse, [_sample(x) for x in label], cfg)
    torch.manual_seed(3)
    points = training_points(coarse, **cfg)
    logits = head(point_sample(levels[0], points), point_sample(coarse, points))
    # The pixel in which a point lies.
    x, y = (points * 16).long().unbind(2)
    target = torch.stack([label[n, y[n], x[n]] for n in range(2)])
    assert set(losses) == {'pointloss_ce', 'acc_point'}
    expected = F.cross_entropy(logits, target, ignore_index=255, reduction='sum') / 100
    assert torch.allclose(losses['pointloss_ce'], expected, atol=1e-6)
    right = ((logits.argmax(1) == target) & (target != 255)).sum() / (target != 255).sum()
    assert losses['acc_point'].item() == pytest.approx(100 * right.item())


def test_a_point_on_the_far_edge_has_the_label_of_the_last_pixel():
    head = _head()
    losses = head.loss_by_feat(torch.tensor([[[0.], [0.], [50.]]]), torch.ones(1, 1, 2),
                               [_sample(torch.full((6, 4), 2))])
    assert losses['acc_point'] == 100


def test_in_evaluation_the_points_are_the_same_each_time():
    head = _head().eval()
    args = ([torch.randn(1, 4, 8, 8)], torch.randn(1, 3, 4, 4),
            [_sample(torch.randint(0, 3, (16, 16)))])
    state = torch.get_rng_state()
    first, second = head.loss(*args), head.loss(*args)
    assert first['pointloss_ce'] == second['pointloss_ce']
    assert torch.equal(torch.get_rng_state(), state)
    head.train()
    assert head.loss(*args)['pointloss_ce'] != head.loss(*args)['pointloss_ce']


def test_a_misspelt_key_of_train_cfg():
    with pytest.raises(ConfigError, match='num_points'):
        _head().loss([torch.rand(1, 4, 8, 8)], torch.rand(1, 3, 4, 4), [], dict(num_point=3))


# --- test ------------------------------------------------------------------------------------

@torch.no_grad()
def test_subdivision_refines_the_hardest_pixels_alone():
    head = _head().eval()
    levels, coarse = [torch.randn(2, 4, 8, 8)], torch.randn(2, 3, 4, 4)
    out = head.predict(levels, coarse, [{}] * 2, dict(
        subdivision_steps=1, subdivision_num_points=5, scale_factor=2))
    grown = F.interpolate(coarse, scale_factor=2, mode='bilinear')
    for n in range(2):
        best = grown[n].sort(0, descending=True).values
        lead = (best[0] - best[1]).flatten()
        hardest = lead.argsort()[:5].tolist()
        for place in range(64):
            row, col = divmod(place, 8)
            expected = grown[n, :, row, col]
            if place in hardest:
                point = torch.tensor([[[(col + 0.5) / 8, (row + 0.5) / 8]]])
                expected = head(point_sample(levels[0][n:n + 1], point),
                                point_sample(coarse[n:n + 1], point))[0, :, 0]
            assert torch.allclose(out[n, :, row, col], expected, atol=1e-6)


def test_steps_double_the_size_and_leave_what_came_in():
    head, coarse = _head().eval(), torch.randn(1, 3, 3, 5)
    before = coarse.clone()
    out = head.predict([torch.randn(1, 4, 3, 5)], coarse, [{}], dict(subdivision_num_points=7))
    assert out.shape == (1, 3, 12, 20)  # two steps unless told otherwise
    assert torch.equal(coarse, before)


def test_one_channel_for_two_classes():
    head = _head(num_classes=2, out_channels=1, loss_decode=dict(
        type='CrossEntropyLoss', use_sigmoid=True))
    args = ([torch.randn(1, 4, 8, 8)], torch.randn(1, 1, 4, 4))
    assert head.predict(*args, [{}]).shape == (1, 1, 16, 16)
    losses = head.loss(*args, [_sample(torch.randint(0, 2, (16, 16)))])
    losses['pointloss_ce'].backward()
    assert losses['pointloss_ce'] > 0


@torch.no_grad()
def test_half_precision():
    head, cfg = _head().eval(), dict(subdivision_num_points=20)
    levels, coarse = [torch.randn(1, 4, 8, 8)], torch.randn(1, 3, 4, 4)
    plain = head.predict(levels, coarse, [{}], cfg)
    with torch.autocast('cpu', torch.bfloat16):
        half = head.predict([x.bfloat16() for x in levels], coarse.bfloat16(), [{}], cfg)
    # Which pixels are the hardest may differ for few of 256.
    assert ((plain - half).abs() < 0.1).float().mean() > 0.95
