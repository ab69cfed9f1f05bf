"""ResNeSt: a ResNet-D whose 3x3 convolutions attend over several copies of themselves.

Zhang et al., Split-Attention Networks, https://arxiv.org/abs/2004.08955.
N batch, C channels, R radix, G groups.
"""

import torch
from mmcv.cnn import build_conv_layer
from torch import nn

from ...registry import MODELS
from ..layers import Bottleneck, NumberedNorms, ResLayer, extends
from .resnet import ResNetV1d


class SplitAttentionConv2d(NumberedNorms, nn.Module):
    """A convolution to R times the channels, then a weighted sum of the R parts (section 3.1).

    The weights are of each channel and part, from the global average of the parts' sum. They are
    a softmax over the parts, or a sigmoid if there is one.

    Args:
        channels: Channels in and out.
        stride, dilation, groups: Of the convolution, a 3x3.
        radix: R.
        reduction_factor: R C over the width of the layer between average and weights, which
            is at least 32.
        conv_cfg, norm_cfg: As everywhere in mmcv.
    """

    def __init__(self, channels: int, stride: int = 1, dilation: int = 1, groups: int = 1,
                 radix: int = 2, reduction_factor: int = 4, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN')) -> None:
        super().__init__()
        self.radix, self.groups = radix, groups
        self.conv = build_conv_layer(conv_cfg, channels, channels * radix, 3, stride=stride,
                                     padding=dilation, dilation=dilation, groups=groups * radix,
                                     bias=False)
        self._add_norm(norm_cfg, channels * radix, 0)
        width = max(channels * radix // reduction_factor, 32)
        self.fc1 = nn.Conv2d(channels, width, 1, groups=groups)
        self._add_norm(norm_cfg, width, 1)
        self.fc2 = nn.Conv2d(width, channels * radix, 1, groups=groups)
        self.relu = nn.ReLU(inplace=True)

    @property
    def norm0(self) -> nn.Module:
        return getattr(self, self.norm0_name)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, ceil(H / stride), ceil(W / stride))."""
        x = self.relu(self.norm0(self.conv(x)))
        parts = x.unflatten(1, (self.radix, -1))  # (N, R, C, H, W)
        mean = parts.mean(dim=(3, 4), keepdim=True).sum(dim=1)
        hidden = self.relu(self.norm1(self.fc1(mean)))
        # The channels of fc2 are ordered by group, part and channel of the group.
        scores = self.fc2(hidden).unflatten(1, (self.groups, self.radix, -1)).transpose(1, 2)
        weights = scores.softmax(dim=1) if self.radix > 1 else scores.sigmoid()
        return (parts * weights.flatten(2, 3)).sum(dim=1)


class SplitAttentionBottleneck(Bottleneck):
    """A bottleneck around a `SplitAttentionConv2d`, which norms by itself.

    Args:
        radix, reduction_factor: See `SplitAttentionConv2d`.
        avg_down_stride: A 3x3 average pool strides after the convolution, in place of it.
        Others as for `Bottleneck`.
    """

    @extends(Bottleneck)
    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1, *,
                 style: str = 'pytorch', groups: int = 1, radix: int = 2,
                 reduction_factor: int = 4, avg_down_stride: bool = True,
                 conv_cfg: dict | None = None, norm_cfg: dict = dict(type='BN'),
                 **options) -> None:
        super().__init__(inplanes, planes, stride, dilation, style=style, groups=groups,
                         conv_cfg=conv_cfg, norm_cfg=norm_cfg, **options)
        delattr(self, self.norm2_name)
        stride = stride if style == 'pytorch' else 1
        pools = avg_down_stride and stride > 1
        self.conv2 = SplitAttentionConv2d(
            self.conv2.in_channels, 1 if pools else stride, dilation, groups, radix,
            reduction_factor, conv_cfg, norm_cfg)
        self.avd_layer = nn.AvgPool2d(3, stride, padding=1) if pools else nn.Identity()

    def _residual(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.norm1(self.conv1(x)))
        return self.norm3(self.conv3(self.avd_layer(self.conv2(out))))


@MODELS.register_module()
class ResNeSt(ResNetV1d):
    """ResNet-D with split attention.

    In mmsegmentation ``zero_init_residual`` has no effect on it.

    Args:
        groups, base_width: As for `ResNeXt`.
        radix, reduction_factor, avg_down_stride: See `SplitAttentionBottleneck`.
        Others as for `ResNetV1d`; ``depth`` is 50, 101, 152 or 200.
    """

    arch_settings = {depth: (SplitAttentionBottleneck, blocks) for depth, blocks in (
        (50, (3, 4, 6, 3)), (101, (3, 4, 23, 3)), (152, (3, 8, 36, 3)), (200, (3, 24, 36, 3)))}

    @extends(ResNetV1d)
    def __init__(self, groups: int = 1, base_width: int = 4, radix: int = 2,
                 reduction_factor: int = 4, avg_down_stride: bool = True, **options) -> None:
        self.groups, self.base_width = groups, base_width
        self.radix, self.reduction_factor = radix, reduction_factor
        self.avg_down_stride = avg_down_stride
        super().__init__(**options)

    def make_res_layer(self, **options) -> ResLayer:
        """A stage, as `ResNet`'s, of blocks with split attention."""
        return super().make_res_layer(
            groups=self.groups, base_width=self.base_width, base_channels=self.base_channels,
            radix=self.radix, reduction_factor=self.reduction_factor,
            avg_down_stride=self.avg_down_stride, **options)
