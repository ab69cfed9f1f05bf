"""1, 2 and 4 gloo processes against one process with the joined batch."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from segplug.engine.distributed import keep_buffers_apart
from segplug.engine.sync_bn import (
    PlainBatchNorm,
    SyncBatchNorm,
    convert_sync_batchnorm,
    wants_every,
)
from segplug.errors import ConfigError, ShapeError

DTYPES = {torch.float64: 1e-9, torch.float32: 1e-4}


def net(norm: str, dtype) -> nn.Module:
    torch.manual_seed(0)
    kind = getattr(nn, norm)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), kind(4), nn.ReLU(),
                          nn.Conv2d(4, 5, 3), kind(5, momentum=None), nn.Conv2d(5, 2, 1))
    return model.to(dtype)


def batch(dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Eight images far from zero, each of another spread."""
    g = torch.Generator().manual_seed(1)
    x = torch.randn(8, 3, 7, 6, generator=g) * torch.arange(1, 9).view(-1, 1, 1, 1) + 10
    return x.to(dtype), torch.randn(8, 2, 3, 2, generator=g).to(dtype)


def steps(model: nn.Module, x, y, factor: float, count: int) -> dict:
    """SGD steps; the outputs, gradients and buffers of the first, the weights after the last."""
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    kept = {}
    for step in range(count):
        optimizer.zero_grad()
        out = model(x)
        ((out - y).square().mean() * factor).backward()
        inner = model.module if hasattr(model, 'module') else model
        if step == 0:
            kept = {f'grad.{n}': p.grad.clone() for n, p in inner.named_parameters()}
            kept |= {f'buffer.{n}': b.clone() for n, b in inner.named_buffers()}
            kept['out'] = out.detach()
        optimizer.step()
    return kept | {f'end.{n}': t.clone() for n, t in inner.state_dict().items()}


def rank_main(rank: int, sizes: list[int], folder: str) -> None:
    torch.set_num_threads(1)
    world = len(sizes)
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank,
                            world_size=world)
    first = sum(sizes[:rank])
    for dtype in DTYPES:
        x, y = (t[first:first + sizes[rank]] for t in batch(dtype))
        model = convert_sync_batchnorm(net('SyncBatchNorm', dtype), 'cpu', distributed=True)
        model = DistributedDataParallel(model, **keep_buffers_apart())
        # DDP takes the mean over ranks; the joined mean weighs each rank by its share.
        kept = steps(model, x, y, sizes[rank] * world / sum(sizes), count=10)
        torch.save(kept, f'{folder}/{rank}_{dtype}.pt')
        del model  # before the group: see distributed.leave
    dist.destroy_process_group()


@pytest.mark.parametrize('sizes', [[8], [4, 4], [2, 2, 2, 2], [1, 4, 3]])
def test_equals_one_process_with_the_joined_batch(sizes, tmp_path):
    mp.start_processes(rank_main, args=(sizes, str(tmp_path)), nprocs=len(sizes),
                       start_method='spawn')
    for dtype, tolerance in DTYPES.items():
        joined = steps(net('BatchNorm2d', dtype), *batch(dtype), 1.0, count=10)
        ranks = [torch.load(tmp_path / f'{r}_{dtype}.pt', weights_only=True)
                 for r in range(len(sizes))]
        out = torch.cat([r.pop('out') for r in ranks])
        assert (out - joined['out']).norm() <= tolerance * joined.pop('out').norm()
        for kept in ranks:
            assert kept.keys() == joined.keys()
            for name, value in joined.items():
                error = (kept[name].double() - value.double()).norm()
                assert error <= tolerance * max(value.double().norm(), 1.0 if 'grad' in name
                                                else 0), (name, error)


def rank_kinds(rank: int, folder: str) -> None:
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    g = torch.Generator().manual_seed(2)
    joined = torch.randn(4, 3, 5, 4, generator=g)
    mine = joined[2 * rank:2 * rank + 2]
    found = {}
    for name, x in dict(
            channels_last=mine.to(memory_format=torch.channels_last), bf16=mine.bfloat16(),
            one_dim=mine[:, :, 0, 0], three_dims=mine.unsqueeze(2)).items():
        norm = SyncBatchNorm(3)
        x = x.clone().requires_grad_()
        y = norm(x)
        y.mul(torch.linspace(-1, 1, y[0].numel()).view_as(y[0])).sum().backward()
        found[name] = (y.detach(), x.grad, norm.running_var.clone(), norm.weight.grad)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found['autocast'] = nn.Sequential(nn.Conv2d(3, 3, 1), SyncBatchNorm(3))(mine).detach()
    norm.eval()
    found['eval'] = norm(mine)
    torch.save(found, f'{folder}/{rank}.pt')
    dist.destroy_process_group()


def test_layouts_types_and_dimensions(tmp_path):
    mp.start_processes(rank_kinds, args=(str(tmp_path),), nprocs=2, start_method='spawn')
    ranks = [torch.load(tmp_path / f'{r}.pt', weights_only=True) for r in range(2)]
    g = torch.Generator().manual_seed(2)
    joined = torch.randn(4, 3, 5, 4, generator=g)
    for name, x in dict(channels_last=joined, bf16=joined.bfloat16().float(),
                        one_dim=joined[:, :, :1, 0], three_dims=joined).items():
        norm = nn.BatchNorm1d(3) if x.dim() == 3 else nn.BatchNorm2d(3)
        x = x.clone().requires_grad_()
        y = norm(x)
        y.mul(torch.linspace(-1, 1, y[0].numel()).view_as(y[0])).sum().backward()
        tolerance = 2e-2 if name == 'bf16' else 1e-5
        for i, (expected, scale) in enumerate([(y, 1), (x.grad, 1)]):
            got = torch.cat([r[name][i].float() for r in ranks]).reshape(expected.shape)
            torch.testing.assert_close(got, expected.detach() * scale, atol=tolerance,
                                       rtol=tolerance)
        torch.testing.assert_close(ranks[0][name][2], norm.running_var, atol=1e-5, rtol=1e-4)
        weight_grad = ranks[0][name][3] + ranks[1][name][3]  # local: DDP would join them
        torch.testing.assert_close(weight_grad, norm.weight.grad, atol=0.3 if name == 'bf16'
                                   else 1e-3, rtol=tolerance)
    assert ranks[0]['bf16'][0].dtype is torch.bfloat16
    assert ranks[0]['channels_last'][1].is_contiguous(memory_format=torch.channels_last)
    assert ranks[0]['autocast'].dtype is torch.bfloat16
    # Running statistics after one step from (0, 1) with momentum 0.1, as plain BatchNorm has.
    torch.testing.assert_close(ranks[0]['eval'], nn.functional.batch_norm(
        joined[:2], 0.1 * joined.mean((0, 2, 3)), 0.9 + 0.1 * joined.transpose(0, 1).flatten(
            1).var(1), eps=1e-5))


def test_state_dict_is_that_of_torch():
    ours, theirs = SyncBatchNorm(3), nn.SyncBatchNorm(3)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name in ('num_features', 'eps', 'momentum', 'affine', 'track_running_stats',
                 'process_group'):
        assert getattr(ours, name) == getattr(theirs, name)


def test_conversion_by_device_and_job():
    def model():
        return nn.Sequential(nn.SyncBatchNorm(2), nn.Sequential(nn.BatchNorm2d(3))).eval()

    def kinds(m):
        return [type(x) for x in m.modules() if not isinstance(x, nn.Sequential)]

    assert kinds(convert_sync_batchnorm(model(), 'cpu', True)) == [SyncBatchNorm, nn.BatchNorm2d]
    assert kinds(convert_sync_batchnorm(model(), 'cpu', True, every=True)) == [SyncBatchNorm] * 2
    assert kinds(convert_sync_batchnorm(model(), 'cuda', True, every=True)) == [
        nn.SyncBatchNorm] * 2
    assert kinds(convert_sync_batchnorm(model(), 'cpu', False, every=True)) == [
        PlainBatchNorm, nn.BatchNorm2d]


def test_conversion_keeps_parameters_and_mode():
    old = nn.SyncBatchNorm(2, eps=0.5, momentum=0.3).eval()
    old.weight.requires_grad = False
    new = convert_sync_batchnorm(old, 'cpu', False)
    assert new.weight is old.weight
    assert new.running_mean is old.running_mean
    assert (new.eps, new.momentum, new.training, new.affine) == (0.5, 0.3, False, True)
    assert isinstance(new, nn.BatchNorm2d)
    assert list(new.state_dict()) == list(old.state_dict())


def test_too_few_dimensions():
    for norm in (SyncBatchNorm(3), PlainBatchNorm(3)):
        with pytest.raises(ShapeError, match='channel dimension'):
            norm(torch.zeros(3))


def test_plain_conversion_is_said_once_and_only_if_there_is_one(monkeypatch):
    said = []
    monkeypatch.setattr('segplug.engine.sync_bn.print_log', lambda text, logger: said.append(text))
    convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(2)), 'cpu', False)
    assert not said
    convert_sync_batchnorm(nn.Sequential(nn.SyncBatchNorm(2), nn.SyncBatchNorm(2)), 'cpu', False)
    assert len(said) == 1


def test_setting_values():
    assert [wants_every(v) for v in (None, False, True, 'torch')] == [False, False, True, True]
    with pytest.raises(ConfigError, match='mmcv'):
        wants_every('mmcv')
