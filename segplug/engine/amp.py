"""Mixed precision on GPU and CPU behind one name; mmengine's wrapper refuses a CPU."""

import contextlib

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper as _UpstreamAmpOptimWrapper
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.optim import Optimizer

from ..errors import ConfigError
from ..registry import OPTIM_WRAPPERS

_DTYPES = {'float16': torch.float16, 'bfloat16': torch.bfloat16}


def pick_dtype(dtype: str | torch.dtype | None, device: str) -> torch.dtype:
    """float16 on a GPU and bfloat16 elsewhere, unless ``dtype`` says otherwise.

    A CPU computes bfloat16 only; float16 in a config that was made for a GPU becomes that.
    """
    chosen = _DTYPES.get(dtype, dtype) if dtype is not None else None
    if chosen not in (None, *_DTYPES.values()):
        raise ConfigError('AmpOptimWrapper cannot compute in this type.', got=str(dtype),
                          expected=' or '.join(_DTYPES), culprit='dtype')
    if device == 'cuda':
        return chosen or torch.float16
    if chosen is torch.float16:
        print_log('AMP computes in bfloat16 here: float16 needs a GPU.', logger='current')
    return torch.bfloat16


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(_UpstreamAmpOptimWrapper):
    """Autocast around the forward pass; loss scaling where float16 needs it.

    Args:
        optimizer: Whose step is scaled.
        loss_scale: 'dynamic', a fixed number, or arguments of torch's GradScaler; has no
            effect with bfloat16, whose range is that of float32.
        dtype: 'float16', 'bfloat16' or None for what the device does best.
        accumulative_counts: Batches whose gradients are summed before a step.
        clip_grad: As mmengine's, for example dict(max_norm=1.0).
    """

    def __init__(self, optimizer: Optimizer, loss_scale: str | float | dict = 'dynamic',
                 dtype: str | torch.dtype | None = None, accumulative_counts: int = 1,
                 clip_grad: dict | None = None) -> None:
        # mmengine's own constructor only checks for a GPU and makes a CUDA scaler.
        OptimWrapper.__init__(self, optimizer=optimizer, accumulative_counts=accumulative_counts,
                              clip_grad=clip_grad)
        self.device = get_device()
        self.cast_dtype = pick_dtype(dtype, self.device)
        self._scale_update_param = None
        scaler_cfg = {}
        if isinstance(loss_scale, dict):
            scaler_cfg = dict(loss_scale)
        elif isinstance(loss_scale, int | float):
            scaler_cfg = dict(init_scale=float(loss_scale))
            self._scale_update_param = float(loss_scale)
        elif loss_scale != 'dynamic':
            raise ConfigError('loss_scale has an unknown value.', got=repr(loss_scale),
                              expected="'dynamic', a number or a dict", culprit='loss_scale')
        enabled = self.cast_dtype is torch.float16
        self.loss_scaler = torch.amp.GradScaler(self.device, enabled=enabled, **scaler_cfg)

    def backward(self, loss: Tensor, **kwargs) -> None:
        """Scale the loss if need be, and propagate it."""
        self.loss_scaler.scale(loss).backward(**kwargs)
        self._inner_count += 1

    def state_dict(self) -> dict:
        """mmengine's layout; without a scaler there is no ``loss_scaler``."""
        state = super().state_dict()
        if not state['loss_scaler']:
            del state['loss_scaler']
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """Take over a state of either kind; a scaler's state is left out where none is used."""
        state = dict(state_dict)
        scaler = state.pop('loss_scaler', None)
        if scaler and self.loss_scaler.is_enabled():
            self.loss_scaler.load_state_dict(scaler)
        super().load_state_dict(state)

    @contextlib.contextmanager
    def optim_context(self, model: nn.Module):
        """Autocast, and no gradient exchange while gradients are accumulated."""
        with OptimWrapper.optim_context(self, model), \
                torch.autocast(self.device, dtype=self.cast_dtype):
            yield
