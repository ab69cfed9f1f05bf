"""What backbones share: how they start, and which parts do not train."""

from collections.abc import Iterable

from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from .freezing import freeze, norms_to_eval

# Kaiming for convolutions, one for the norms: the published start of convolutional backbones.
KAIMING = (dict(type='Kaiming', layer='Conv2d'),
           dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']))


def start_cfg(pretrained: str | None, init_cfg: dict | list | None,
              default: Iterable[dict] = KAIMING) -> dict | list:
    """The ``init_cfg`` that follows from the two ways of setting it.

    Args:
        pretrained: Weights by name, file or URL; short for ``dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation.
        default: Holds where neither is set.

    Raises:
        ConfigError: If both are set, or ``pretrained`` is no name.
    """
    if pretrained is None:
        return [dict(cfg) for cfg in default] if init_cfg is None else init_cfg
    if not isinstance(pretrained, str):
        raise ConfigError('pretrained is no name of weights.', got=repr(pretrained),
                          expected='a known name, a file or a URL', culprit='pretrained')
    if init_cfg is not None:
        raise ConfigError('pretrained and init_cfg both say how to start.',
                          got=f'pretrained={pretrained!r}, init_cfg={init_cfg!r}',
                          fix='leave one of them out', culprit='pretrained')
    return dict(type='Pretrained', checkpoint=pretrained)


class Backbone(BaseModule):
    """A backbone whose parts can be kept from training.

    A subclass that freezes calls `keep_frozen` at the end of its constructor.

    Args:
        init_cfg: mmengine's initialisation.
        norm_eval: Batch norms keep their running statistics in training.

    Attributes:
        out_channels: Channels of each level that is handed out; set by the subclass.
        out_strides: Its stride; H pixels become ceil(H / stride).
    """

    out_channels: tuple[int, ...]
    out_strides: tuple[int, ...]

    def __init__(self, init_cfg: dict | list | None = None, norm_eval: bool = False) -> None:
        super().__init__(init_cfg)
        self.norm_eval = norm_eval

    def frozen(self) -> Iterable[nn.Module]:
        """The parts that neither learn nor move their running statistics."""
        return ()

    def keep_frozen(self) -> None:
        freeze(*self.frozen())

    def train(self, mode: bool = True) -> 'Backbone':
        """As nn.Module's, except for the frozen parts and, with `norm_eval`, the batch norms."""
        super().train(mode)
        self.keep_frozen()
        if mode and self.norm_eval:
            norms_to_eval(self)
        return self
