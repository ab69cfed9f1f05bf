"""What makes a network faster where it only predicts, by name: AMP, channels_last, torch.compile.

The settings stand between the segmentor and its ``encode_decode``, the network call of a test, of
a prediction and of a validation. Reading, upsampling, averaging and scoring stay in float32, and
training is not touched: its mixed precision is ``AmpOptimWrapper``.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ..errors import ConfigError, did_you_mean
from .amp import pick_dtype

_AMP = {'bf16': 'bfloat16', 'fp16': 'float16', True: None}


@dataclass(frozen=True)
class Speed:
    """The config's ``speed``.

    Attributes:
        amp: 'bf16', 'fp16', True for what the device does best, or False.
        channels_last: Whether images go through the network channel by channel of each pixel.
        compile: Whether torch.compile makes one graph of the network.

    Raises:
        ConfigError: For an unknown key or value.
    """

    amp: str | bool = False
    channels_last: bool = False
    compile: bool = False

    def __post_init__(self) -> None:
        if self.amp not in (False, *_AMP):
            raise ConfigError('speed has a wrong amp.', got=repr(self.amp), culprit='amp',
                              expected="'bf16', 'fp16', True or False")
        for key in ('channels_last', 'compile'):
            if not isinstance(getattr(self, key), bool):
                raise ConfigError(f'speed has a wrong {key}.', got=repr(getattr(self, key)),
                                  expected='True or False', culprit=key)

    @classmethod
    def from_dict(cls, cfg: dict | None) -> 'Speed':
        """From a config's ``speed``."""
        names = [f.name for f in fields(cls)]
        for key in cfg or {}:
            if key not in names:
                raise ConfigError(f'speed has no key {key!r}.', culprit=str(key),
                                  expected=', '.join(names), fix=did_you_mean(str(key), names))
        return cls(**(cfg or {}))


def speed_up(model: nn.Module, speed: Speed) -> None:
    """Put the settings between ``model`` and its ``encode_decode``; nothing is set by default.

    Raises:
        ConfigError: The model has no ``encode_decode``, the device cannot compute in that type,
            or there is no compiler.
    """
    if speed == Speed():
        return
    if not hasattr(model, 'encode_decode'):
        raise ConfigError(f'{type(model).__name__} has no encode_decode for `speed` to speed up.',
                          culprit='speed', fix='leave speed, --amp, --channels-last and --compile '
                                               'out')
    device = next(model.parameters()).device.type
    network = model.encode_decode
    if speed.compile:
        network = _compiled(network, device)
    if speed.channels_last:
        network = _channels_last(network)
    if speed.amp:
        network = _autocast(network, device, _dtype(speed.amp, device))
    model.encode_decode = network
    print_log(f'The network predicts with {speed}.', 'current')


def _dtype(amp: str | bool, device: str) -> torch.dtype:
    dtype = pick_dtype(_AMP[amp], device)
    if device == 'cuda' and dtype is torch.bfloat16 and not torch.cuda.is_bf16_supported():
        raise ConfigError('This GPU does not compute in bfloat16.', culprit='amp',
                          fix="set amp='fp16'")
    return dtype


def _autocast(network: Callable, device: str, dtype: torch.dtype) -> Callable:
    def with_autocast(inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        with torch.autocast(device, dtype=dtype):
            logits = network(inputs, batch_img_metas)
        return logits.float()
    return with_autocast


def _channels_last(network: Callable) -> Callable:
    """The layers follow the layout of what comes in; their weights need not be turned."""
    def with_channels_last(inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        return network(inputs.contiguous(memory_format=torch.channels_last), batch_img_metas)
    return with_channels_last


def _compiled(network: Callable, device: str) -> Callable:
    """``network`` as a graph for the first size, and a few more that take any size.

    A network that cannot be compiled computes as it is, and the log says so.
    """
    if device == 'cpu':
        _check_compiler()
    compiled, failed = torch.compile(network), False

    def with_compile(inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        nonlocal failed
        if not failed:
            try:
                return compiled(inputs, batch_img_metas)
            except torch._dynamo.exc.TorchDynamoException as error:
                failed = True
                print_log(f'torch.compile cannot compile the network, which computes without it: '
                          f'{_start(error)}', 'current', logging.WARNING)
        return network(inputs, batch_img_metas)
    return with_compile


def _check_compiler() -> None:
    """Raise when there is no C++ compiler, which torch.compile needs on a CPU."""
    from torch._inductor import cpp_builder, exc
    name = 'get_cpp_compiler'
    find = getattr(cpp_builder, name, None) or getattr(cpp_builder, f'_{name}')  # so in torch 2.4
    try:
        find()
    except exc.InvalidCxxCompiler as error:
        raise ConfigError('torch.compile needs a C++ compiler on a CPU, and finds none.',
                          fix='install g++ or set CXX, or leave --compile out',
                          culprit='compile') from error


def _start(error: BaseException) -> str:
    """The first lines of an error, as one: what follows them is a traceback and advice."""
    return ' '.join(str(error).split('\n\n')[0].split())[:300] or type(error).__name__
