"""What each shipped config costs: its parameters, and the multiply-adds of one image.

The network is built on torch's meta device, which knows shapes and computes nothing, so a table
of all configs takes seconds and no memory.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from ..analysis.complexity import multiply_adds
from ..errors import ConfigError, did_you_mean
from ..registry import MODELS, SCOPE
from .config import load_config
from .places import shipped_configs
from .provenance import explained

DEFAULT_SIZE = (512, 1024)


def zoo(words: Iterable[str] = (), *, size: tuple[int, int] | None = None) -> list[dict]:
    """The shipped configs whose path holds each of ``words``, by path.

    Args:
        words: Parts of a path below ``configs/``, as 'pspnet' or 'r50'; none for all configs.
        size: (H, W) of the image; else the config's ``crop_size``, or 512 x 1024 without one.

    Returns:
        A dict per config: ``config`` (its path), ``method`` (its folder), ``backbone``, ``head``,
        ``size`` [H, W], ``parameters`` (of what predicts), ``auxiliary_parameters`` (of heads that
        only training has) and ``multiply_adds``, as `count` gives them.

    Raises:
        ConfigError: No config matches, one does not build, or the size does not fit its network.
    """
    if size is not None:
        check_size(size)
    words = list(words)
    rows, counted = [], {}
    for path in matching(words):
        cfg = load_config(path)
        shape = image_size(cfg, size)
        key = json.dumps([cfg.model.to_dict(), shape], sort_keys=True, default=repr)
        if key not in counted:
            with explained(cfg):
                counted[key] = count(build_on_meta(cfg), shape)
        rows.append(dict(summary(path, cfg, shape), **counted[key]))
    return rows


def summary(path: Path, cfg: Config, size: tuple[int, int]) -> dict:
    """What a row says of a config without building its model."""
    name = path.relative_to(shipped_configs())
    return dict(config=name.as_posix(), method=name.parts[0],
                backbone=describe(cfg.model.backbone), head=_head(cfg.model.decode_head),
                size=list(size))


def matching(words: list[str]) -> list[Path]:
    """The shipped configs whose path below ``configs/`` holds each of ``words``, by path."""
    root = shipped_configs()
    names = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob('*.py'))}
    names = {name: path for name, path in names.items() if '_base_' not in Path(name).parts}
    found = [path for name, path in names.items() if all(word in name for word in words)]
    if not found:
        known = {part for name in names for part in (name, name.split('/')[0])}
        raise ConfigError(f'No shipped config has {" and ".join(map(repr, words))} in its path.',
                          fix=did_you_mean(words[0], known) or 'segplug zoo lists them all')
    return found


def image_size(cfg: Config, size: Sequence[int] | None = None) -> tuple[int, int]:
    """(H, W) that is asked for, else the config's ``crop_size``, or 512 x 1024 without one.

    Raises:
        ConfigError: That is no size of an image.
    """
    return check_size(size or cfg.get('crop_size') or DEFAULT_SIZE)


def check_size(size: int | Sequence[int]) -> tuple[int, int]:
    """(H, W), of which one number is a square; ConfigError for what is no size of an image."""
    sides = [size] * 2 if isinstance(size, int) else size
    if not isinstance(sides, Sequence) or len(sides) != 2 or not all(
            isinstance(side, int) for side in sides):
        raise ConfigError('This is no size of an image.', got=repr(size), culprit='crop_size',
                          expected='H and W')
    height, width = sides
    if min(height, width) < 1:
        raise ConfigError(f'An image of {height}x{width} pixels has none.',
                          expected='H and W of 1 or more')
    return height, width


def build_on_meta(cfg: Config) -> nn.Module:
    """The model of ``cfg``, without memory for its weights."""
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or SCOPE), \
            torch.device('meta'):
        return MODELS.build(cfg.model).eval()


def count(model: nn.Module, size: tuple[int, int]) -> dict[str, int]:
    """`parameters`, and ``multiply_adds`` of the prediction of one image of ``size`` (H, W).

    What is counted stands in `segplug.analysis.complexity`. It is what is computed here, which
    for PSPNet and UPerNet is less than published counts say.

    Args:
        model: A segmentor on the meta device.
        size: (H, W).

    Raises:
        ConfigError: The network cannot take an image of this size.
    """
    run = predicting(model, size)
    try:
        return dict(parameters(model), multiply_adds=multiply_adds(run))
    except RuntimeError as error:
        raise does_not_fit(size, error) from error


def predicting(model: nn.Module, size: tuple[int, int]) -> Callable[[], Tensor]:
    """What calls the network with one image of ``size`` (H, W), on the model's device."""
    device = next(model.parameters()).device
    image = torch.zeros(1, input_channels(model), *size, device=device)
    metas = [dict(img_shape=size, pad_shape=size, ori_shape=size)]
    return lambda: model.encode_decode(image, metas)


def does_not_fit(size: tuple[int, int], error: Exception) -> ConfigError:
    """What to say of a network that fails on an image of ``size``."""
    return ConfigError(f'The network cannot take an image of {size[0]}x{size[1]}.',
                       got=error, fix='give another size')


def parameters(model: nn.Module) -> dict[str, int]:
    """``parameters`` of what predicts, ``auxiliary_parameters`` of heads only training has."""
    every = sum(p.numel() for p in model.parameters())
    auxiliary = sum(p.numel() for name, p in model.named_parameters()
                    if name.startswith('auxiliary_head.'))
    return dict(parameters=every - auxiliary, auxiliary_parameters=auxiliary)


def input_channels(model: nn.Module) -> int:
    """Channels of the image: what the first convolution takes."""
    return next(m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d))


def describe(backbone: dict) -> str:
    """'ResNetV1c-50', 'HRNet-W18'; with its variant where the config names one."""
    if 'backbone_cfg' in backbone:
        return f'{backbone["type"]} of {describe(backbone["backbone_cfg"])}'
    if 'depth' in backbone:
        return f'{backbone["type"]}-{backbone["depth"]}'
    if 'extra' in backbone:  # HRNet: the width of its finest branch
        return f'{backbone["type"]}-W{backbone["extra"]["stage4"]["num_channels"][0]}'
    variants = [str(backbone[key]) for key in ('arch', 'stdc_type') if key in backbone]
    return ' '.join([backbone['type'], *variants])


def _head(heads) -> str:
    """'PSPHead'; the stages of a cascade are joined, as 'FCNHead + OCRHead'."""
    return ' + '.join(h['type'] for h in (heads if isinstance(heads, list | tuple) else [heads]))
