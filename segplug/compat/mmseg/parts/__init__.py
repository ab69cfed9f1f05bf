"""Parts of networks with mmsegmentation's arguments, for code that builds others of them.

One module for each of theirs. A part is a subclass of the one inside segplug's network, so that
its weights have the same names and ``isinstance`` holds for a part that the network built.
"""

from collections.abc import Callable
from functools import partial

from mmcv.cnn import ConvModule
from torch import nn

from ....errors import ConfigError

BN, RELU = dict(type='BN'), dict(type='ReLU')


def conv(conv_cfg: dict | None, norm_cfg: dict | None,
         act_cfg: dict | None) -> Callable[..., nn.Module]:
    """What makes a convolution with norm and activation."""
    return partial(ConvModule, conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)


def only(owner: str, **settings: tuple) -> None:
    """Refuse settings that a part has in mmsegmentation only.

    Args:
        owner: The part, for messages.
        settings: Name -> what came, and what there is.

    Raises:
        ConfigError: For the first that differs.
    """
    for name, (got, expected) in settings.items():
        if got != expected:
            raise ConfigError(f'{owner} has a fixed {name} in segplug.', got=got,
                              expected=expected, culprit=name)
