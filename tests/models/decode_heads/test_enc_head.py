import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from segplug.models.decode_heads import EncHead
from segplug.models.decode_heads.enc_head import classes_present
from segplug.structures import SegDataSample


def _small(**options) -> EncHead:
    torch.manual_seed(0)
    return EncHead(**{**dict(in_channels=[3, 5], in_index=[0, 1], channels=4, num_codes=6,
                             num_classes=3), **options})


def _samples(label: torch.Tensor) -> list[SegDataSample]:
    return [SegDataSample(gt_sem_seg=PixelData(data=one[None])) for one in label]


def test_names_of_published_weights():
    head = EncHead(in_channels=[512, 1024, 2048], in_index=(1, 2, 3), channels=512,
                   num_classes=19, norm_cfg=dict(type='SyncBN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items()
              if 'running' not in k and 'num_batches' not in k}
    assert {k: s for k, s in shapes.items() if '.bn.' not in k} == {
        'bottleneck.conv.weight': (512, 2048, 3, 3),
        'enc_module.encoding_project.conv.weight': (512, 512, 1, 1),
        'enc_module.encoding.0.codewords': (32, 512), 'enc_module.encoding.0.scale': (32,),
        'enc_module.encoding.1.weight': (32,), 'enc_module.encoding.1.bias': (32,),
        'enc_module.fc.0.weight': (512, 512), 'enc_module.fc.0.bias': (512,),
        'se_layer.weight': (19, 512), 'se_layer.bias': (19,),
        'conv_seg.weight': (19, 512, 1, 1), 'conv_seg.bias': (19,)}
    lateral = _small(add_lateral=True).state_dict()
    assert lateral['lateral_convs.0.conv.weight'].shape == (4, 3, 1, 1)
    assert lateral['fusion.conv.weight'].shape == (4, 8, 3, 3)


@pytest.mark.parametrize(('norm', 'kind'), [
    (None, 'BatchNorm1d'), ('BN', 'BatchNorm1d'), ('BN2d', 'BatchNorm1d'), ('IN', 'InstanceNorm1d'),
    ('SyncBN', 'SyncBatchNorm')])
def test_codewords_are_normalised_in_one_dimension(norm, kind):
    head = _small(norm_cfg=None if norm is None else dict(type=norm))
    assert type(head.enc_module.encoding[1]).__name__ == kind


def test_the_figure_of_the_paper():
    """Figure 2: encode, gate the channels of the map and add it, and tell the classes."""
    head = _small(add_lateral=True, norm_cfg=dict(type='BN')).eval()
    levels = [torch.rand(2, 3, 8, 6), torch.rand(2, 5, 4, 3)]
    lateral = F.interpolate(head.lateral_convs[0](levels[0]), (4, 3), mode='bilinear')
    feat = head.fusion(torch.cat([head.bottleneck(levels[1]), lateral], 1))

    encoding, norm, _ = head.enc_module.encoding
    pixels = head.enc_module.encoding_project(feat).flatten(2).transpose(1, 2)
    residuals = pixels[:, :, None] - encoding.codewords
    weights = (encoding.scale * residuals.square().sum(3)).softmax(2)
    code = norm((weights[..., None] * residuals).sum(1)).relu().mean(1)
    gate = torch.sigmoid(code @ head.enc_module.fc[0].weight.T + head.enc_module.fc[0].bias)
    gated = (feat * (1 + gate[:, :, None, None])).relu()
    torch.testing.assert_close(head(levels), head.conv_seg(gated))
    torch.testing.assert_close(head._encoded(levels)[0], code)


def test_classes_of_an_image():
    label = torch.tensor([[[0, 2], [2, 255]], [[255, 1], [1, 1]], [[255, 255], [255, 255]]])
    assert classes_present(label, 4, 255).tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [-1] * 4]
    assert classes_present(label[:2].clamp(max=3), 4, None).tolist() == [[1, 0, 1, 1],
                                                                         [0, 1, 0, 1]]
    one = torch.tensor([[0, 0], [0, 1], [0, 255], [255, 255]])  # K = 1: is there any 1?
    assert classes_present(one, 1, 255).tolist() == [[0], [1], [0], [-1]]


def test_the_semantic_encoding_loss_is_the_mean_over_images_and_classes():
    """-log sigmoid of classes that are there and -log(1 - sigmoid) of others, times 0.2."""
    head = _small(norm_cfg=dict(type='BN')).eval()
    levels = [torch.rand(3, 3, 8, 6), torch.rand(3, 5, 4, 3)]
    label = torch.full((3, 8, 6), 255, dtype=torch.uint8)
    label[0, 0, 0], label[1, :2] = 2, 0
    losses = head.loss(levels, _samples(label))
    probs = torch.sigmoid(head.se_layer(head._encoded(levels)[0]))
    there = [[0, 0, 1], [1, 0, 0]]  # the third image has no label and adds nothing
    terms = [-torch.log(p if t else 1 - p) for row, ts in zip(probs, there, strict=False)
             for p, t in zip(row, ts, strict=True)]
    torch.testing.assert_close(losses['loss_se'], 0.2 * sum(terms) / 9)
    assert set(losses) == {'loss_ce', 'loss_se', 'acc_seg'}
    assert not head.loss_is_of_logits


def test_without_the_semantic_encoding_loss():
    head = _small(use_se_loss=False)
    assert not any(k.startswith('se_layer') for k in head.state_dict())
    levels = [torch.rand(2, 3, 8, 6), torch.rand(2, 5, 4, 3)]
    assert set(head.loss(levels, _samples(torch.zeros(2, 8, 6, dtype=torch.uint8)))) == {
        'loss_ce', 'acc_seg'}
