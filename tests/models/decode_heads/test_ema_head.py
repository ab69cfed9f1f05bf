import math

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.decode_heads import EMAHead
from segplug.models.decode_heads.ema_head import EMAModule, fit_bases


def _head(**kwargs) -> EMAHead:
    return EMAHead(**{**dict(in_channels=3, channels=4, num_classes=2, ema_channels=6,
                             num_bases=3, num_stages=2, norm_cfg=dict(type='BN')), **kwargs})


def test_rounds_of_the_paper_by_loop():
    """Equations 10 to 13: z_nk = softmax_k(x_n mu_k); mu_k = sum_n z_nk x_n, of length one."""
    feats, bases = torch.randn(2, 3, 5), F.normalize(torch.randn(1, 3, 2), dim=1)
    found, weight = fit_bases(feats, bases, 2)
    for image, mu, z in zip(feats, found, weight, strict=True):
        wanted = bases[0]
        for _ in range(2):
            wanted_z = torch.zeros(5, 2)
            for n in range(5):
                e = [math.exp(float(image[:, n] @ wanted[:, k])) for k in range(2)]
                for k in range(2):
                    wanted_z[n, k] = e[k] / sum(e)
            sums = [sum(wanted_z[n, k] * image[:, n] for n in range(5)) for k in range(2)]
            wanted = torch.stack([s / s.norm() for s in sums], dim=1)
        assert torch.allclose(mu, wanted, atol=1e-5)
        assert torch.allclose(z, wanted_z, atol=1e-5)


def test_map_is_rebuilt_from_its_bases():
    """Two orthogonal kinds of pixels, far apart, are the two bases; a pixel gets its own."""
    module = EMAModule(2, 2, 3, 0.1).eval()
    module.bases.copy_(torch.eye(2))
    x = torch.tensor([[[50.0, 0, 50]], [[0, 50, 0]]])[None]
    assert torch.allclose(module(x), x / 50, atol=1e-6)


def test_bases_follow_the_mean_over_the_images():
    """One base: it is the direction of the sum of pixels. Images (1, 0) and (0, 1) give the mean
    (1, 1) / root 2; a tenth of it and nine tenths of (1, 0)."""
    module = EMAModule(2, 1, 1, 0.1)
    module.bases.copy_(torch.tensor([[[1.0], [0]]]))
    x = torch.tensor([[1.0, 0], [0, 1]])[..., None, None].expand(2, 2, 3, 3)
    buffer = module.bases
    module.train()(x)
    root = 0.1 / math.sqrt(2)
    assert module.bases.flatten().tolist() == pytest.approx([0.9 + root, root])
    assert module.bases is buffer
    module.eval()(x)
    assert module.bases.flatten().tolist() == pytest.approx([0.9 + root, root])


def follow(rank: int, folder: str) -> None:
    """One image in each of two processes."""
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    module = EMAModule(2, 1, 1, 0.1)
    module.bases.copy_(torch.tensor([[[1.0], [0]]]))
    module.train()(torch.eye(2)[rank].view(1, 2, 1, 1).expand(1, 2, 3, 3))
    torch.save(module.bases, f'{folder}/{rank}.pt')
    dist.destroy_process_group()


def test_processes_share_their_bases(tmp_path):
    """The numbers of the test before, where both images are in one process."""
    mp.start_processes(follow, args=(str(tmp_path),), nprocs=2, start_method='spawn')
    root = 0.1 / math.sqrt(2)
    for rank in range(2):
        bases = torch.load(tmp_path / f'{rank}.pt', weights_only=True)
        assert bases.flatten().tolist() == pytest.approx([0.9 + root, root])


def test_low_precision_leaves_the_bases_exact():
    exact, low = EMAModule(4, 3, 3, 0.1), EMAModule(4, 3, 3, 0.1)
    low.load_state_dict(exact.state_dict())
    x = 8 * torch.randn(2, 4, 8, 8).bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        out = low(x)
    assert torch.allclose(exact(x.float()), out.float(), atol=1e-2)
    assert torch.equal(exact.bases, low.bases)


def test_bases_have_length_one_at_the_start():
    assert torch.allclose(EMAModule(5, 7, 1, 0.1).bases.norm(dim=1), torch.ones(1, 7))
    with pytest.raises(ConfigError, match='num_stages >= 1'):
        EMAModule(5, 7, 0, 0.1)


def test_published_names_and_what_is_not_trained():
    head = _head()
    assert {'ema_module.bases', 'ema_in_conv.conv.weight', 'ema_in_conv.bn.weight',
            'ema_mid_conv.conv.weight', 'ema_mid_conv.conv.bias', 'ema_out_conv.bn.bias',
            'bottleneck.conv.weight', 'conv_cat.conv.weight', 'conv_seg.bias'} \
        <= set(head.state_dict())
    assert [n for n, p in head.named_parameters() if not p.requires_grad] == [
        'ema_mid_conv.conv.weight', 'ema_mid_conv.conv.bias']
    assert not hasattr(_head(concat_input=False), 'conv_cat')


@torch.no_grad()
def test_head_adds_the_rebuilt_map_before_its_bottleneck():
    head, x = _head(concat_input=False).eval(), torch.randn(1, 3, 4, 5)
    feats = head.ema_in_conv(x)
    rebuilt = head.ema_out_conv(head.ema_module(head.ema_mid_conv(feats)).clamp(min=0))
    wanted = head.conv_seg(head.bottleneck((feats + rebuilt).clamp(min=0)))
    assert torch.allclose(head([x]), wanted, atol=1e-6)
