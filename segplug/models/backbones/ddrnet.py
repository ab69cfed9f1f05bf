"""DDRNet: a branch at stride 8 and one that goes down to stride 64, which exchange twice.

Hong et al., https://arxiv.org/abs/2101.06085. Module names are those of mmsegmentation 1.2.2,
under which published weights are stored. Different from there: both levels come out in a test
as well as in training, images need not be multiples of 8, and ``norm_cfg`` and ``act_cfg``
reach every layer.
"""

from functools import partial

import torch
from mmcv.cnn import ConvModule, build_norm_layer
from mmengine.model import BaseModule
from torch import nn

from ...ops.resize import resize
from ...registry import MODELS
from ..layers import DAPPM, branch_stage, branch_stem


@MODELS.register_module()
class DDRNet(BaseModule):
    """DDRNet, https://arxiv.org/abs/2101.06085.

    Args:
        in_channels: Channels of the image.
        channels: C, the base width: 32 for DDRNet-23-slim, 64 for DDRNet-23.
        ppm_channels: Channels of each scale of the pyramid pooling.
        align_corners: For the resizes where the branches meet.
        norm_cfg, act_cfg, init_cfg: As everywhere in mmcv and mmengine.

    Attributes:
        out_channels: (2 C, 4 C): the detail branch after the first exchange, for the auxiliary
            loss; the sum of both branches at the end.
        out_strides: (8, 8).
    """

    def __init__(self, in_channels: int = 3, channels: int = 32, ppm_channels: int = 128,
                 align_corners: bool = False,
                 norm_cfg: dict = dict(type='BN', requires_grad=True),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        self.align_corners = align_corners
        cfgs = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        shortcut = partial(_shortcut, norm_cfg)
        stage = partial(branch_stage, shortcut=shortcut, **cfgs)
        conv = partial(ConvModule, norm_cfg=norm_cfg, act_cfg=None)
        halve = partial(ConvModule, kernel_size=3, stride=2, padding=1, norm_cfg=norm_cfg)
        c = channels
        self.stem = branch_stem(in_channels, c, 2, shortcut=shortcut, **cfgs)
        self.context_branch_layers = nn.ModuleList([
            stage(2 * c, 4 * c, 2, 2), stage(4 * c, 8 * c, 2, 2),
            stage(8 * c, 8 * c, 1, 2, bottleneck=True)])
        self.spatial_branch_layers = nn.ModuleList([
            stage(2 * c, 2 * c, 2), stage(2 * c, 2 * c, 2),
            stage(2 * c, 2 * c, 1, bottleneck=True)])
        self.compression_1 = conv(4 * c, 2 * c, 1)
        self.compression_2 = conv(8 * c, 2 * c, 1)
        self.down_1 = halve(2 * c, 4 * c, act_cfg=None)
        self.down_2 = nn.Sequential(halve(2 * c, 4 * c, act_cfg=act_cfg),
                                    halve(4 * c, 8 * c, act_cfg=None))
        self.spp = DAPPM(16 * c, ppm_channels, 4 * c, num_scales=5, **cfgs)
        self.out_channels, self.out_strides = (2 * c, 4 * c), (8, 8)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, H, W) float, normalised -> two levels of stride 8."""
        context = spatial = self.stem(x)
        kept = []
        for i, (compression, down) in enumerate(((self.compression_1, self.down_1),
                                                 (self.compression_2, self.down_2))):
            context = self.context_branch_layers[i](context)
            spatial = self.spatial_branch_layers[i](spatial)
            compressed = compression(context.relu())
            context = (context + down(spatial.relu())).relu()
            kept.append(spatial + self._up(compressed, spatial))
            spatial = kept[-1].relu()
        spatial = self.spatial_branch_layers[2](spatial)
        context = self.spp(self.context_branch_layers[2](context))
        return kept[0], spatial + self._up(context, spatial)

    def _up(self, x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return resize(x, size=like.shape[2:], mode='bilinear', align_corners=self.align_corners)


def _shortcut(norm_cfg: dict, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """A strided 1x1 convolution and its norm."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                         build_norm_layer(norm_cfg, out_channels)[1])
