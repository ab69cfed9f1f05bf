"""``mmseg.models.backbones.resnext``: the bottleneck of ResNeXt."""

from torch import nn

from ....models import layers as ours
from ....models.layers import refuse_set
from ..blocks import check_style
from ..stands_for import StandsFor


class Bottleneck(ours.Bottleneck, metaclass=StandsFor):
    """Ours, with ``groups`` as its third argument.

    Raises:
        ConfigError: For ``dcn`` or ``plugins``, or an unknown ``style``.
    """

    def __init__(self, inplanes: int, planes: int, groups: int = 1, base_width: int = 4,
                 base_channels: int = 64, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), dcn: dict | None = None,
                 plugins: list | None = None, init_cfg: dict | list | None = None) -> None:
        refuse_set('Bottleneck', dict(dcn=dcn, plugins=plugins))
        check_style(style)
        super().__init__(inplanes, planes, stride, dilation, downsample, style, with_cp,
                         conv_cfg, norm_cfg, init_cfg, groups, base_width, base_channels)
        self.groups = groups
