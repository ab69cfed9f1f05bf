"""``mmseg.models.backbones.resnest``: the bottleneck of ResNeSt."""

import torch
from torch import nn

from ....models.backbones import resnest as ours
from ....models.layers import refuse_set
from ..blocks import check_style
from ..stands_for import StandsFor


class RSoftmax(nn.Module):
    """The weights of the parts: a softmax over them, or a sigmoid if there is one.

    Args:
        radix: Number of parts.
        groups: Groups that the channels are ordered by first.
    """

    def __init__(self, radix: int, groups: int) -> None:
        super().__init__()
        self.radix, self.groups = radix, groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, groups radix C, 1, 1), by group, part and channel -> (N, radix groups C), by part."""
        if self.radix == 1:
            return x.sigmoid()
        return x.reshape(len(x), self.groups, self.radix, -1).transpose(1, 2).softmax(
            dim=1).flatten(1)


class Bottleneck(ours.SplitAttentionBottleneck, metaclass=StandsFor):
    """Ours, with ``groups`` as its third argument.

    Raises:
        ConfigError: For ``dcn`` or ``plugins``, or an unknown ``style``.
    """

    def __init__(self, inplanes: int, planes: int, groups: int = 1, base_width: int = 4,
                 base_channels: int = 64, radix: int = 2, reduction_factor: int = 4,
                 avg_down_stride: bool = True, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), dcn: dict | None = None,
                 plugins: list | None = None, init_cfg: dict | list | None = None) -> None:
        refuse_set('Bottleneck', dict(dcn=dcn, plugins=plugins))
        check_style(style)
        super().__init__(inplanes, planes, stride, dilation, downsample=downsample, style=style,
                         with_cp=with_cp, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                         init_cfg=init_cfg, groups=groups, base_width=base_width,
                         base_channels=base_channels, radix=radix,
                         reduction_factor=reduction_factor, avg_down_stride=avg_down_stride)
        self.groups, self.avg_down_stride = groups, avg_down_stride
        self.conv2.channels = self.conv1.out_channels
