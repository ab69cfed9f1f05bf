import math

import pytest
import torch
from mmengine.structures import PixelData

from segplug.models.decode_heads import DAHead
from segplug.models.decode_heads.da_head import CAM, PAM
from segplug.structures import SegDataSample

SIZE = (4, 6)
METAS = [dict(img_shape=SIZE, pad_shape=SIZE)]


def _head(**kwargs) -> DAHead:
    return DAHead(**{**dict(in_channels=3, channels=4, num_classes=3, pam_channels=2,
                            norm_cfg=dict(type='BN')), **kwargs})


def _sample(value: int = 1) -> SegDataSample:
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=torch.full((1, *SIZE), value, dtype=torch.uint8))
    return sample


@torch.no_grad()
def test_position_attention_is_equation_2_of_the_paper():
    """E_j = gamma sum_i softmax_i(B_i C_j) D_i + A_j, without a scale."""
    pam, x = PAM(4, 2), torch.randn(1, 4, 2, 3)
    pam.gamma.scale.fill_(0.7)
    query, key, value = (part(x).flatten(2)[0] for part in (
        pam.query_project, pam.key_project, pam.value_project))
    out = torch.zeros(4, 6)
    for j in range(6):
        weights = [math.exp(float(query[:, j] @ key[:, i])) for i in range(6)]
        for i in range(6):
            out[:, j] += weights[i] / sum(weights) * value[:, i]
    assert torch.allclose(pam(x), 0.7 * out.view_as(x) + x, atol=1e-5)


@torch.no_grad()
def test_channel_attention_by_loop():
    """E_j = gamma sum_i softmax_i(max_k A_j A_k - A_j A_i) A_i + A_j."""
    cam, x = CAM(), torch.randn(1, 3, 2, 2)
    cam.gamma.scale.fill_(0.7)
    rows = x.flatten(2)[0]
    out = torch.zeros(3, 4)
    for j in range(3):
        products = [float(rows[j] @ rows[i]) for i in range(3)]
        weights = [math.exp(max(products) - p) for p in products]
        for i in range(3):
            out[j] += weights[i] / sum(weights) * rows[i]
    assert torch.allclose(cam(x), 0.7 * out.view_as(x) + x, atol=1e-5)


def test_channel_attention_has_room_for_large_maps_in_low_precision():
    """4096 pixels of 8: products of 262144, beyond float16; all alike, each a third."""
    cam = CAM()
    torch.nn.init.ones_(cam.gamma.scale)
    x = torch.full((1, 3, 64, 64), 8.0)
    with torch.autocast('cpu', torch.float16):
        assert torch.allclose(cam(x), 2 * x, rtol=1e-3)
    assert torch.allclose(cam(x.half()), 2 * x.half(), rtol=1e-3)


def test_attention_starts_as_nothing():
    x = torch.randn(1, 4, 3, 3)
    assert torch.equal(PAM(4, 2)(x), x)
    assert torch.equal(CAM()(x), x)


def test_three_logits_in_training_and_the_sum_in_a_test():
    head, x = _head(dropout_ratio=0), [torch.randn(2, 3, *SIZE)]
    three = head.train()(x)
    assert [logits.shape for logits in three] == [(2, 3, *SIZE)] * 3
    assert torch.equal(head.predict(x, METAS), three[0])
    head.eval()
    pam = head.pam_out_conv(head.pam(head.pam_in_conv(x[0])))
    cam = head.cam_out_conv(head.cam(head.cam_in_conv(x[0])))
    assert torch.equal(head(x), head.conv_seg(pam + cam))
    assert torch.equal(head.predict(x, METAS), head(x))


@pytest.mark.parametrize('training', [True, False])
def test_losses_of_all_three_have_names_of_their_own(training):
    """Classifiers of zeros give uniform logits: each cross entropy is log 3."""
    head = _head().train(training)
    for conv in (head.conv_seg, head.pam_conv_seg, head.cam_conv_seg):
        torch.nn.init.zeros_(conv.weight)
        torch.nn.init.zeros_(conv.bias)
    losses = head.loss([torch.randn(2, 3, *SIZE)], [_sample()] * 2)
    assert set(losses) == {f'{name}.{kind}' for name in ('pam_cam', 'pam', 'cam')
                           for kind in ('loss_ce', 'acc_seg')}
    for name in ('pam_cam', 'pam', 'cam'):
        assert losses[f'{name}.loss_ce'].item() == pytest.approx(math.log(3))


def test_two_classes_by_one_channel():
    head = _head(num_classes=2, out_channels=1,
                 loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))
    losses = head.loss([torch.randn(2, 3, *SIZE)], [_sample()] * 2)
    assert all(value.isfinite() for value in losses.values())
    assert head.pam_conv_seg.out_channels == head.cam_conv_seg.out_channels == 1


def test_published_names():
    keys = set(_head().state_dict())
    assert {'pam_in_conv.conv.weight', 'pam.query_project.weight', 'pam.key_project.bias',
            'pam.value_project.weight', 'pam.gamma.scale', 'pam_out_conv.bn.weight',
            'pam_conv_seg.weight', 'cam_in_conv.conv.weight', 'cam.gamma.scale',
            'cam_out_conv.bn.bias', 'cam_conv_seg.bias', 'conv_seg.weight'} <= keys
