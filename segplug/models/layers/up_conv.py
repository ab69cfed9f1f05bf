"""Blocks of the UNet backbone: convolutions, ways to twice the size, a step of the decoder.

Ronneberger et al., https://arxiv.org/abs/1505.04597. Names inside are mmsegmentation's,
because published weights are stored under them.
"""

import torch
from mmcv.cnn import ConvModule, build_activation_layer, build_norm_layer
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...ops.sizes import scaled, top_left
from ...registry import MODELS
from .checkpointing import run_block


class BasicConvBlock(nn.Module):
    """``num_convs`` 3x3 convolutions.

    Args:
        in_channels, out_channels: Channels in and out.
        num_convs: Number of convolutions.
        stride: Of the first.
        dilation: Of all but the first.
        with_cp: Gradient checkpointing.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, in_channels: int, out_channels: int, num_convs: int = 2, stride: int = 1,
                 dilation: int = 1, with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict | None = dict(type='BN'),
                 act_cfg: dict | None = dict(type='ReLU')) -> None:
        super().__init__()
        self.with_cp = with_cp
        common = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.convs = nn.Sequential(
            ConvModule(in_channels, out_channels, 3, stride=stride, padding=1, **common),
            *(ConvModule(out_channels, out_channels, 3, dilation=dilation, padding=dilation,
                         **common) for _ in range(num_convs - 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        return run_block(self, self.convs, x)


@MODELS.register_module()
class DeconvModule(nn.Module):
    """A transposed convolution to ``scale_factor`` times the size.

    Args:
        in_channels, out_channels: Channels in and out.
        with_cp: Gradient checkpointing.
        norm_cfg, act_cfg: As everywhere in mmcv.
        kernel_size: Size of the kernel.
        scale_factor: Stride.

    Raises:
        ConfigError: Unless ``kernel_size`` exceeds ``scale_factor`` by an even number or zero.
    """

    def __init__(self, in_channels: int, out_channels: int, with_cp: bool = False,
                 norm_cfg: dict = dict(type='BN'), act_cfg: dict = dict(type='ReLU'), *,
                 kernel_size: int = 4, scale_factor: int = 2) -> None:
        super().__init__()
        excess = kernel_size - scale_factor
        if excess < 0 or excess % 2:
            raise ConfigError('A DeconvModule cannot scale exactly with this kernel.',
                              got=f'kernel_size={kernel_size}, scale_factor={scale_factor}',
                              expected='a kernel larger by 0, 2, 4 ...', culprit='kernel_size')
        self.with_cp = with_cp
        self.deconv_upsamping = nn.Sequential(
            nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride=scale_factor,
                               padding=excess // 2),
            build_norm_layer(norm_cfg, out_channels)[1], build_activation_layer(act_cfg))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, out_channels, H * scale_factor, W * scale_factor)."""
        return run_block(self, self.deconv_upsamping, x)


class _Upsample(nn.Module):
    """Interpolation to ``size``, or to ``scale_factor`` times the size, rounded down."""

    def __init__(self, size: tuple[int, int] | None = None, scale_factor: float | None = None,
                 mode: str = 'nearest', align_corners: bool | None = None) -> None:
        super().__init__()
        self.size, self.scale_factor = size, scale_factor
        self.mode, self.align_corners = mode, align_corners

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = self.size or [scaled(length, self.scale_factor) for length in x.shape[2:]]
        return resize(x, size=size, mode=self.mode, align_corners=self.align_corners)


@MODELS.register_module()
class InterpConv(nn.Module):
    """Interpolation and a convolution.

    Args:
        in_channels, out_channels: Channels in and out.
        with_cp: Gradient checkpointing.
        norm_cfg, act_cfg, conv_cfg: As everywhere in mmcv.
        conv_first: The convolution comes before the interpolation.
        kernel_size, stride, padding: Of the convolution.
        upsample_cfg: Of the interpolation: size or scale_factor, mode, align_corners.
    """

    def __init__(self, in_channels: int, out_channels: int, with_cp: bool = False,
                 norm_cfg: dict = dict(type='BN'), act_cfg: dict = dict(type='ReLU'), *,
                 conv_cfg: dict | None = None, conv_first: bool = False, kernel_size: int = 1,
                 stride: int = 1, padding: int = 0, upsample_cfg: dict = dict(
                     scale_factor=2, mode='bilinear', align_corners=False)) -> None:
        super().__init__()
        self.with_cp = with_cp
        parts = [_Upsample(**upsample_cfg),
                 ConvModule(in_channels, out_channels, kernel_size, stride=stride,
                            padding=padding, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                            act_cfg=act_cfg)]
        self.interp_upsample = nn.Sequential(*(reversed(parts) if conv_first else parts))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, out_channels, 2 H, 2 W) with the default arguments."""
        return run_block(self, self.interp_upsample, x)


class UpConvBlock(nn.Module):
    """One step of the decoder: the coarse level grows, joins the skip, and is convolved.

    Args:
        in_channels: Channels of the coarse level.
        skip_channels: Channels of the skip, and of the coarse level once it has grown.
        out_channels: Channels out.
        num_convs, dilation: Of the convolutions after joining.
        with_cp: Gradient checkpointing.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        upsample_cfg: How the coarse level grows; None if both have the same size, then a 1x1
            convolution alone.
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int,
                 num_convs: int = 2, dilation: int = 1, with_cp: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict | None = dict(type='BN'),
                 act_cfg: dict | None = dict(type='ReLU'),
                 upsample_cfg: dict | None = dict(type='InterpConv')) -> None:
        super().__init__()
        common = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.conv_block = BasicConvBlock(2 * skip_channels, out_channels, num_convs,
                                         dilation=dilation, with_cp=with_cp, conv_cfg=conv_cfg,
                                         **common)
        if upsample_cfg is None:
            self.upsample = ConvModule(in_channels, skip_channels, 1, conv_cfg=conv_cfg, **common)
        else:
            self.upsample = MODELS.build(dict(
                upsample_cfg, in_channels=in_channels, out_channels=skip_channels,
                with_cp=with_cp, **common))

    def forward(self, skip: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Skip (N, skip_channels, H, W), coarse (N, in_channels, h, w) -> (N, out_channels, H, W).

        A skip of odd length was halved upwards, so twice the coarse level is one pixel longer;
        it is cut, not squeezed, to keep each pixel in its place.
        """
        height, width = skip.shape[2:]
        x = top_left(self.upsample(x), height, width)
        return self.conv_block(torch.cat([skip, x], dim=1))
