"""SyncBatchNorm on CPU processes, which torch's own cannot do, and the choice of the right one.

Statistics are combined as count, mean and M2 (sum of squared deviations), so that no
precision is lost for channels far from zero (Chan, Golub, LeVeque 1983). Letters: N batch,
C channels; any number of further dimensions.
"""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import ConfigError, ShapeError


def _dims(x: Tensor) -> list[int]:
    return [d for d in range(x.dim()) if d != 1]


def _as(vector: Tensor, x: Tensor) -> Tensor:
    """(C,) seen as (1, C, 1, ...) beside ``x``."""
    return vector.view(1, -1, *[1] * (x.dim() - 2))


def local_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and sum of squared deviations, (C,) each and at least float32, of (N, C, *) ``x``.

    `torch.var_mean` over these dimensions takes ten times as long on a CPU. Half types go through
    torch's fused kernel, which sums in float32 when its (unused) running statistics are float32.
    """
    if x.dtype not in (torch.float32, torch.float64):
        unused = torch.zeros(x.size(1))
        mean, var = torch.batch_norm_update_stats(x, unused, unused.clone(), 0.0)
        return mean, var * (x.numel() // x.size(1))
    mean = x.mean(_dims(x))
    centred = x - _as(mean, x)
    return mean, centred.mul_(centred).sum(_dims(x))


def joint_statistics(x: Tensor, group=None) -> tuple[Tensor, Tensor, float]:
    """Mean and biased variance, (C,) each, and count per channel over all ranks' ``x``.

    Args:
        x: (N, C, *) float; N may differ between ranks.
    """
    count = x.numel() // x.size(1)
    mean, m2 = local_statistics(x)
    mine = torch.cat([mean, m2, mean.new_tensor([count])])
    every = [torch.empty_like(mine) for _ in range(dist.get_world_size(group))]
    dist.all_gather(every, mine, group=group)
    every = torch.stack(every)
    num_channels = x.size(1)
    means, m2s, counts = every.split([num_channels, num_channels, 1], dim=1)
    total = counts.sum()
    mean = (means * counts).sum(0) / total
    m2 = m2s.sum(0) + (counts * (means - mean) ** 2).sum(0)
    return mean, m2 / total, total.item()


class _SyncBatchNormFunction(torch.autograd.Function):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, with statistics over all ranks."""

    @staticmethod
    def forward(ctx, x, weight, bias, mean, var, total, eps, group):
        ctx.save_for_backward(x, weight, mean, var)
        ctx.total, ctx.eps, ctx.group = total, eps, group
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        x, weight, mean, var = ctx.saved_tensors
        # With fixed statistics, torch's fused kernel gives grad / std, the sum of grad * x_hat and
        # the sum of grad; what the statistics themselves add to the gradient is taken off below.
        grad_x, sum_grad_hat, sum_grad = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, mean, var, None, None, False, ctx.eps, [True, True, True])
        grad_weight = sum_grad_hat.clone() if ctx.needs_input_grad[1] else None
        grad_bias = sum_grad.clone() if ctx.needs_input_grad[2] else None
        if not ctx.needs_input_grad[0]:
            return None, grad_weight, grad_bias, None, None, None, None, None
        # The weights' gradients stay local: DistributedDataParallel averages them.
        sums = torch.cat([sum_grad_hat, sum_grad])
        dist.all_reduce(sums, group=ctx.group)
        scale = torch.rsqrt(var + ctx.eps)
        scale = scale if weight is None else scale * weight
        mean_grad_hat, mean_grad = (sums / ctx.total * scale.repeat(2)).chunk(2)
        # x_hat * mean_grad_hat + mean_grad is a batch norm of x once more.
        grad_x -= F.batch_norm(x, mean, var, mean_grad_hat, mean_grad, False, 0.0, ctx.eps)
        return grad_x, grad_weight, grad_bias, None, None, None, None, None


class SyncBatchNorm(_BatchNorm):
    """torch.nn.SyncBatchNorm for CPU processes: same arguments, attributes and state-dict keys.

    Every rank of the group must run the same layers in the same order, as with torch's.

    Args:
        process_group: The ranks that share statistics; None for all.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
                 affine: bool = True, track_running_stats: bool = True, process_group=None,
                 device=None, dtype=None) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ShapeError('SyncBatchNorm needs a batch and a channel dimension.',
                             got=f'shape {tuple(input.shape)}', expected='(N, C, ...)')

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *) float -> the same shape and type."""
        batch_statistics = self.training or self.running_mean is None
        if not (batch_statistics and self.training and dist.is_initialized()
                and dist.get_world_size(self.process_group) > 1):
            return super().forward(input)
        self._check_input_dim(input)
        with torch.no_grad():
            mean, var, total = joint_statistics(input.detach(), self.process_group)
            self._update_running(mean, var * (total / (total - 1)))
        return _SyncBatchNormFunction.apply(input, self.weight, self.bias, mean, var, total,
                                            self.eps, self.process_group)

    def _update_running(self, mean: Tensor, unbiased_var: Tensor) -> None:
        if not self.track_running_stats:
            return
        self.num_batches_tracked.add_(1)
        factor = self.momentum
        if factor is None:  # cumulative average
            factor = 1.0 / self.num_batches_tracked.item()
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), factor)
        self.running_var.lerp_(unbiased_var.to(self.running_var.dtype), factor)


class PlainBatchNorm(nn.BatchNorm2d):
    """What a SyncBatchNorm becomes on one process: BatchNorm of whatever dimension came."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ShapeError('BatchNorm needs a batch and a channel dimension.',
                             got=f'shape {tuple(input.shape)}', expected='(N, C, ...)')


def _become(module: _BatchNorm, cls: type[_BatchNorm]) -> _BatchNorm:
    """``module`` as a ``cls`` that holds the very same parameters and buffers."""
    new = cls(module.num_features, module.eps, module.momentum, False, False)
    new.affine, new.track_running_stats = module.affine, module.track_running_stats
    new._parameters, new._buffers = module._parameters, module._buffers
    if isinstance(new, SyncBatchNorm):
        new.process_group = getattr(module, 'process_group', None)
    return new.train(module.training)


def _replace(module: nn.Module, kinds: tuple[type, ...], cls: type[_BatchNorm]) -> nn.Module:
    if isinstance(module, kinds) and type(module) is not cls:
        return _become(module, cls)
    for name, child in module.named_children():
        new = _replace(child, kinds, cls)
        if new is not child:
            setattr(module, name, new)
    return module


def convert_sync_batchnorm(model: nn.Module, device: str | torch.device, distributed: bool,
                           every: bool = False) -> nn.Module:
    """Give ``model`` the SyncBatchNorm that works here.

    Args:
        model: Changed in place; the return value matters when it is a norm layer itself.
        distributed: If not, SyncBatchNorm becomes plain BatchNorm, said once in the log.
        every: Also convert plain BatchNorm layers (the config's ``sync_bn=True``).
    """
    sync = (nn.SyncBatchNorm, SyncBatchNorm)
    if not distributed:
        if every or any(isinstance(m, sync) for m in model.modules()):
            print_log('SyncBN works as plain BatchNorm, because there is only one process.',
                      logger='current')
        return _replace(model, sync, PlainBatchNorm)
    kinds = (*sync, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d) if every else sync
    on_cuda = torch.device(device).type == 'cuda'
    return _replace(model, kinds, nn.SyncBatchNorm if on_cuda else SyncBatchNorm)


def wants_every(sync_bn) -> bool:
    """Read the config's ``sync_bn``: True or mmengine's 'torch' mean every BatchNorm."""
    if sync_bn in (None, False, True, 'torch'):
        return bool(sync_bn)
    raise ConfigError('sync_bn has an unknown value.', got=repr(sync_bn), culprit='sync_bn',
                      expected="True, False or 'torch'",
                      fix="mmcv's own SyncBN needs compiled ops, which are not used here"
                      if sync_bn == 'mmcv' else None)
