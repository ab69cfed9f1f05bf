"""The 3x3 convolution with which heads join maps of several sizes; see `ops.joined_conv`."""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...ops.joined_conv import joined_conv
from ...ops.resize import resize


class JoinedConv(ConvModule):
    """`ConvModule` of 3x3 with padding 1 that takes a list of maps and resizes them itself.

    It has the parameters of the ConvModule. Where its convolution is of another kind, or somebody
    has hooked it, the maps are resized, concatenated and given to it.

    Args:
        in_channels: Channels of all maps together.
        out_channels: Channels of the result.
        align_corners: Of the resizing.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, in_channels: int, out_channels: int, align_corners: bool,
                 conv_cfg: dict | None = None, norm_cfg: dict | None = None,
                 act_cfg: dict | None = dict(type='ReLU')) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, conv_cfg=conv_cfg,
                         norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.align_corners = align_corners

    def forward(self, maps: Sequence[torch.Tensor] | torch.Tensor,
                like: int = 0) -> torch.Tensor:
        """Maps, each (N, C, h, w), -> (N, out_channels, H, W), the size of map ``like``.

        One tensor is a map that is already joined, as subclasses of published heads have it.
        """
        conv = self.conv
        if isinstance(maps, torch.Tensor):
            return super().forward(maps)
        if type(conv) is not nn.Conv2d or conv._forward_hooks or conv._forward_pre_hooks:
            size = maps[like].shape[2:]
            return super().forward(torch.cat([
                resize(x, size, mode='bilinear', align_corners=self.align_corners)
                for x in maps], dim=1))
        x = joined_conv(maps, like, conv.weight, conv.bias, self.align_corners)
        if self.with_norm:
            x = self.norm(x)
        return self.activate(x) if self.with_activation else x
