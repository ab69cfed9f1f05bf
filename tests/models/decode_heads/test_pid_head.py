import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from segplug.errors import ConfigError, DataError
from segplug.models.decode_heads import PIDHead
from segplug.structures import SegDataSample

CE = dict(type='CrossEntropyLoss', avg_non_ignore=True)
OPTIONS = dict(in_channels=8, channels=4, num_classes=3, dropout_ratio=0, align_corners=True,
               loss_decode=[dict(CE, loss_weight=0.4), CE,
                            dict(type='BoundaryLoss', loss_weight=20.0), CE])


def _levels() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, c, 4, 6, generator=generator) for c in (4, 8, 4)]


def _samples(edges: bool) -> tuple[torch.Tensor, list[SegDataSample]]:
    label = torch.randint(0, 3, (2, 8, 12), generator=torch.Generator().manual_seed(1))
    label[:, :2] = 255
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one[None])) for one in label]
    for sample in samples if edges else ():
        sample.gt_edge_map = PixelData(data=(sample.gt_sem_seg.data == 1).to(torch.uint8))
    return label, samples


def test_a_test_gives_the_result_and_training_all_three():
    head, levels = PIDHead(**OPTIONS), _levels()
    assert [tuple(x.shape) for x in head.train()(levels)] == [
        (2, 3, 4, 6), (2, 3, 4, 6), (2, 1, 4, 6)]
    assert torch.equal(head.eval()(levels), head.conv_seg(head.i_head(levels[1])))


def test_the_losses_are_those_of_the_paper():
    """Boundaries weigh as much as the rest; the fourth counts where sigmoid(d) > 0.8."""
    head, levels = PIDHead(**OPTIONS).train(), _levels()
    with torch.no_grad():  # so that some pixels are sure
        head.d_cls_seg.bias.fill_(1.4)
        head.d_cls_seg.weight.mul_(3)
    label, samples = _samples(edges=True)
    p, i, d = (F.interpolate(x, (8, 12), mode='bilinear', align_corners=True)
               for x in head(levels))
    losses = head.loss(levels, samples)
    assert set(losses) == {'loss_sem_p', 'loss_sem_i', 'loss_bd', 'loss_sem_bd', 'acc_seg'}
    assert torch.allclose(losses['loss_sem_p'],
                          0.4 * F.cross_entropy(p, label, ignore_index=255))
    assert torch.allclose(losses['loss_sem_i'], F.cross_entropy(i, label, ignore_index=255))
    edge, share = label == 1, (label == 1).float().mean()
    prob = d[:, 0].sigmoid()
    terms = -torch.where(edge, (1 - share) * prob.log(), share * (1 - prob).log())
    assert torch.allclose(losses['loss_bd'], 20 * terms.mean(), rtol=1e-4)
    sure = (prob > 0.8) & (label != 255)
    assert 0 < sure.sum() < sure.numel()
    per_pixel = F.cross_entropy(i, label, ignore_index=255, reduction='none')
    assert torch.allclose(losses['loss_sem_bd'], per_pixel[sure].mean())


def test_training_without_edge_maps_says_what_is_missing():
    head, (_, samples) = PIDHead(**OPTIONS).train(), _samples(edges=False)
    with pytest.raises(DataError, match='GenerateEdge'):
        head.loss(_levels(), samples)
    assert set(head.eval().loss(_levels(), samples)) == {
        'loss_sem_p', 'loss_sem_i', 'loss_sem_bd', 'acc_seg'}


def test_arguments_that_do_not_fit():
    with pytest.raises(ConfigError, match='a list of 4'):
        PIDHead(**{**OPTIONS, 'loss_decode': [CE] * 3})
    with pytest.raises(ConfigError, match='ignore_index'):
        PIDHead(**OPTIONS, ignore_index=None)


def test_names_of_published_weights():
    names = {k.rsplit('.', 1)[0] for k in PIDHead(**OPTIONS).state_dict()}
    assert names == {'conv_seg', 'p_cls_seg', 'd_cls_seg', *(
        f'{part}_head.{end}' for part in 'pid' for end in ('conv.conv', 'conv.bn', 'norm'))}
