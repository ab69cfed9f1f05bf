"""Where a network computes: the device that is asked for, or a GPU if there is one."""

import torch
from mmengine.device import get_device
from torch import nn

from ..errors import ConfigError


def on_device(net: nn.Module, device: str | None) -> nn.Module:
    """``net``, moved to ``device``; None takes a GPU if there is one.

    Raises:
        ConfigError: There is no such device, or it has no room.
    """
    device = device or get_device()
    try:
        return net.to(device)
    except (RuntimeError, AssertionError) as error:  # the latter of a torch without CUDA
        count = torch.cuda.device_count()
        gpus = f", 'cuda:0' to 'cuda:{count - 1}'" if count > 1 else ", 'cuda'" if count else ''
        raise ConfigError(f'The network cannot compute on {device!r}.', culprit=str(device),
                          got=' '.join(str(error).split()).rstrip('.'),
                          expected=f"'cpu'{gpus}") from error
