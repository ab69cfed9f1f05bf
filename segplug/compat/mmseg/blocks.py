"""``mmseg.models.backbones.resnet``: the blocks of a ResNet, with the arguments of theirs."""

from torch import nn

from ...errors import ConfigError
from ...models import layers as ours
from ...models.layers import refuse_set
from .stands_for import StandsFor


def check_style(style: str) -> None:
    """Raise a ConfigError for a style that a bottleneck has not."""
    if style not in ('pytorch', 'caffe'):
        raise ConfigError('A bottleneck has no such style.', got=repr(style),
                          expected="'pytorch' or 'caffe'", culprit='style')


class BasicBlock(ours.BasicBlock, metaclass=StandsFor):
    """`segplug.models.layers.BasicBlock`, which remembers its ``stride`` and ``dilation``.

    Raises:
        ConfigError: For ``dcn`` or ``plugins``.
    """

    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), dcn: dict | None = None,
                 plugins: list | None = None, init_cfg: dict | list | None = None) -> None:
        refuse_set('BasicBlock', dict(dcn=dcn, plugins=plugins))
        super().__init__(inplanes, planes, stride, dilation, downsample, style, with_cp,
                         conv_cfg, norm_cfg, init_cfg)
        self.stride, self.dilation = stride, dilation


class Bottleneck(ours.Bottleneck, metaclass=StandsFor):
    """`segplug.models.layers.Bottleneck`, which remembers what it was made of.

    Raises:
        ConfigError: For ``dcn`` or ``plugins``, or an unknown ``style``.
    """

    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), dcn: dict | None = None,
                 plugins: list | None = None, init_cfg: dict | list | None = None) -> None:
        refuse_set('Bottleneck', dict(dcn=dcn, plugins=plugins))
        check_style(style)
        super().__init__(inplanes, planes, stride, dilation, downsample, style, with_cp,
                         conv_cfg, norm_cfg, init_cfg)
        self.inplanes, self.planes, self.stride, self.dilation = inplanes, planes, stride, dilation
        self.style, self.conv_cfg, self.norm_cfg = style, conv_cfg, norm_cfg
