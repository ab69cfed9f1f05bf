"""Fast-SCNN, https://arxiv.org/abs/1902.04502: one fine and one coarse branch off a shared start.

Arguments and names inside follow mmsegmentation 1.2.2 (Apache-2.0). Different: ``conv_cfg`` and
``act_cfg`` hold for every part, separable convolutions and bottlenecks too.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import PPM, Backbone, start_cfg
from ..layers.inverted_residual import InvertedResidual


class LearningToDownsample(nn.Module):
    """To an eighth of the size by three strided convolutions, the last two separable.

    Args:
        in_channels: Channels of the image.
        dw_channels: Channels after the first and the second.
        out_channels: Channels out.
        dw_act_cfg: Activation between the halves of a separable convolution.
        common: conv_cfg, norm_cfg and act_cfg of every convolution.
    """

    def __init__(self, in_channels: int, dw_channels: Sequence[int], out_channels: int,
                 dw_act_cfg: dict | None, common: dict) -> None:
        super().__init__()
        first, second = dw_channels
        options = dict(kernel_size=3, stride=2, padding=1, **common)
        self.conv = ConvModule(in_channels, first, **options)
        self.dsconv1 = DepthwiseSeparableConvModule(first, second, dw_act_cfg=dw_act_cfg,
                                                    **options)
        self.dsconv2 = DepthwiseSeparableConvModule(second, out_channels, dw_act_cfg=dw_act_cfg,
                                                    **options)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, out_channels, ceil(H / 8), ceil(W / 8))."""
        return self.dsconv2(self.dsconv1(self.conv(x)))


class GlobalFeatureExtractor(nn.Module):
    """Three groups of three bottlenecks, pyramid pooling, a 3x3 convolution over all of it.

    Args:
        in_channels: Channels in.
        block_channels: Channels of the groups.
        out_channels: Channels out.
        strides: Strides of the groups.
        align_corners: Of the resizing in the pyramid.
        common: conv_cfg, norm_cfg and act_cfg of every convolution.
    """

    def __init__(self, in_channels: int, block_channels: Sequence[int], out_channels: int,
                 strides: Sequence[int], align_corners: bool, common: dict) -> None:
        super().__init__()
        last = block_channels[-1]
        for i, (before, width, stride) in enumerate(zip(
                (in_channels, *block_channels), block_channels, strides, strict=False), 1):
            self.add_module(f'bottleneck{i}', nn.Sequential(*(
                InvertedResidual(width if j else before, width, 1 if j else stride,
                                 expand_ratio=6, **common) for j in range(3))))
        self.ppm = PPM((1, 2, 3, 6), last, last // 4, align_corners=align_corners, **common)
        self.out = ConvModule(last + 4 * (last // 4), out_channels, 3, padding=1, **common)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, ceil(h / s), ...), s: product of strides."""
        x = self.bottleneck3(self.bottleneck2(self.bottleneck1(x)))
        return self.out(torch.cat([x, *self.ppm(x)], dim=1))


class FeatureFusionModule(nn.Module):
    """The sum of both branches, each through a 1x1; the coarse one is resized and convolved first.

    Args:
        higher_in_channels, lower_in_channels: Channels of the fine and the coarse branch.
        out_channels: Channels out; divides ``lower_in_channels``.
        align_corners: Of the resizing.
        common: conv_cfg, norm_cfg and act_cfg; the 1x1 have no activation.
    """

    def __init__(self, higher_in_channels: int, lower_in_channels: int, out_channels: int,
                 align_corners: bool, common: dict) -> None:
        super().__init__()
        self.align_corners = align_corners
        linear = {**common, 'act_cfg': None}
        self.dwconv = ConvModule(lower_in_channels, out_channels, 3, padding=1,
                                 groups=out_channels, **common)
        self.conv_lower_res = ConvModule(out_channels, out_channels, 1, **linear)
        self.conv_higher_res = ConvModule(higher_in_channels, out_channels, 1, **linear)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """(N, C, h, w) and (N, C', h', w') -> (N, out_channels, h, w)."""
        coarse = resize(coarse, size=fine.shape[2:], mode='bilinear',
                        align_corners=self.align_corners)
        coarse = self.conv_lower_res(self.dwconv(coarse))
        return torch.relu(self.conv_higher_res(fine) + coarse)


@MODELS.register_module()
class FastSCNN(Backbone):
    """Levels: the fine branch, the coarse branch, and both fused at the size of the fine one.

    Args:
        in_channels: Channels of the image.
        downsample_dw_channels: Channels after the first two convolutions.
        global_in_channels: Channels of the fine branch.
        global_block_channels, global_block_strides: Of the three groups of the coarse branch.
        global_out_channels: Channels of the coarse branch.
        higher_in_channels, lower_in_channels: ``global_in_channels`` and
            ``global_out_channels`` again.
        fusion_out_channels: Channels of the fused level.
        out_indices: The levels that are handed out, in this order.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        align_corners: For every resize.
        dw_act_cfg: Activation between the halves of a separable convolution.
        init_cfg: mmengine's initialisation; default Kaiming.

    Attributes:
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: If one width is given two values, or for a level that is not there.
    """

    def __init__(self, in_channels: int = 3, downsample_dw_channels: tuple[int, int] = (32, 48),
                 global_in_channels: int = 64,
                 global_block_channels: tuple[int, int, int] = (64, 96, 128),
                 global_block_strides: tuple[int, int, int] = (2, 2, 1),
                 global_out_channels: int = 128, higher_in_channels: int = 64,
                 lower_in_channels: int = 128, fusion_out_channels: int = 128,
                 out_indices: tuple[int, ...] = (0, 1, 2), conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False, dw_act_cfg: dict | None = None,
                 init_cfg: dict | list | None = None) -> None:
        for name, one, other in (('higher_in_channels', higher_in_channels, global_in_channels),
                                 ('lower_in_channels', lower_in_channels, global_out_channels)):
            if one != other:
                raise ConfigError(f'{name} of FastSCNN are the channels of a branch.', got=one,
                                  expected=other, culprit=name)
        if any(not -3 <= i < 3 for i in out_indices):
            raise ConfigError('FastSCNN has three levels.', got=tuple(out_indices),
                              expected='0, 1 and 2', culprit='out_indices')
        super().__init__(start_cfg(None, init_cfg))
        common = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.out_indices = tuple(out_indices)
        self.learning_to_downsample = LearningToDownsample(
            in_channels, downsample_dw_channels, global_in_channels, dw_act_cfg, common)
        self.global_feature_extractor = GlobalFeatureExtractor(
            global_in_channels, global_block_channels, global_out_channels, global_block_strides,
            align_corners, common)
        self.feature_fusion = FeatureFusionModule(
            higher_in_channels, lower_in_channels, fusion_out_channels, align_corners, common)
        first, second, third = global_block_strides
        channels = (higher_in_channels, lower_in_channels, fusion_out_channels)
        self.out_channels = tuple(channels[i] for i in self.out_indices)
        self.out_strides = tuple((8, 8 * first * second * third, 8)[i] for i in self.out_indices)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels, each (N, out_channels[i], ceil(H / s), ...).

        s is ``out_strides[i]``.
        """
        fine = self.learning_to_downsample(x)
        coarse = self.global_feature_extractor(fine)
        levels = (fine, coarse, self.feature_fusion(fine, coarse))
        return tuple(levels[i] for i in self.out_indices)
