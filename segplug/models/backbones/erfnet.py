"""ERFNet: residual blocks of 3x1 and 1x3 convolutions, an encoder and a small decoder.

Romera et al., Efficient Residual Factorized ConvNet for Real-time Semantic Segmentation, IEEE
T-ITS 2017. Arguments and names inside follow mmsegmentation 1.2.2 (Apache-2.0). Different:
``conv_cfg``, ``norm_cfg`` and ``act_cfg`` hold, where mmsegmentation passes them over; and
where 8 does not divide a size, pooling rounds up and the decoder's surplus is cut, instead of
being squeezed in.
"""

import torch
from mmcv.cnn import build_activation_layer, build_conv_layer, build_norm_layer
from torch import nn

from ...errors import ConfigError
from ...ops.sizes import top_left
from ...registry import MODELS
from ..layers import Backbone


class DownsamplerBlock(nn.Module):
    """Half the size: a strided 3x3 and max-pooling side by side, then norm and activation.

    Args:
        in_channels, out_channels: Channels in and out; the convolution makes the difference.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, in_channels: int, out_channels: int, conv_cfg: dict | None,
                 norm_cfg: dict, act_cfg: dict) -> None:
        super().__init__()
        self.conv = build_conv_layer(conv_cfg, in_channels, out_channels - in_channels,
                                     kernel_size=3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.bn = build_norm_layer(norm_cfg, out_channels)[1]
        self.act = build_activation_layer(act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) float -> (N, out_channels, ceil(H / 2), ceil(W / 2))."""
        return self.act(self.bn(torch.cat([self.conv(x), self.pool(x)], dim=1)))


class NonBottleneck1d(nn.Module):
    """Two pairs of a 3x1 and a 1x3 convolution, the second pair dilated; the input is added.

    Args:
        channels: Channels in and out.
        drop_rate: Share of the elements that are zeroed before the sum.
        dilation: Of the second pair.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, channels: int, drop_rate: float, dilation: int, conv_cfg: dict | None,
                 norm_cfg: dict, act_cfg: dict) -> None:
        super().__init__()
        self.act = build_activation_layer(act_cfg)
        layers = []
        for reach, last in ((1, self.act), (dilation, nn.Dropout(drop_rate))):
            layers += [
                build_conv_layer(conv_cfg, channels, channels, (3, 1), padding=(reach, 0),
                                 dilation=(reach, 1)), self.act,
                build_conv_layer(conv_cfg, channels, channels, (1, 3), padding=(0, reach),
                                 dilation=(1, reach)),
                build_norm_layer(norm_cfg, channels)[1], last]
        self.convs_layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) float -> the same shape."""
        return self.act(self.convs_layers(x) + x)


class UpsamplerBlock(nn.Module):
    """Twice the size by a transposed 3x3, then norm and activation.

    Args:
        in_channels, out_channels: Channels in and out.
        norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict,
                 act_cfg: dict) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1,
                                       output_padding=1)
        self.bn = build_norm_layer(norm_cfg, out_channels)[1]
        self.act = build_activation_layer(act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) float -> (N, out_channels, 2 H, 2 W)."""
        return self.act(self.bn(self.conv(x)))


@MODELS.register_module()
class ERFNet(Backbone):
    """One level: what the decoder gives, at half the size of the image with the defaults.

    Args:
        in_channels: Channels of the image.
        enc_downsample_channels: Channels after each halving.
        enc_stage_non_bottlenecks: Blocks after each halving but the first.
        enc_non_bottleneck_dilations: Dilations of the blocks of the last stage, in turn.
        enc_non_bottleneck_channels: Their channels: ``enc_downsample_channels`` but the first.
        dec_upsample_channels: Channels after each doubling.
        dec_stages_non_bottleneck: Blocks after each doubling.
        dec_non_bottleneck_channels: Their channels: ``dec_upsample_channels`` again.
        dropout_ratio: Share of the elements that the encoder's blocks zero.
        conv_cfg, act_cfg: As everywhere in mmcv.
        norm_cfg: As everywhere in mmcv; ``eps`` is 1e-3 unless it says otherwise.
        init_cfg: mmengine's initialisation; default PyTorch's own.

    Attributes:
        out_channels: Channels of the one level.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For lengths or channels that do not fit.
    """

    def __init__(self, in_channels: int = 3,
                 enc_downsample_channels: tuple[int, ...] = (16, 64, 128),
                 enc_stage_non_bottlenecks: tuple[int, ...] = (5, 8),
                 enc_non_bottleneck_dilations: tuple[int, ...] = (2, 4, 8, 16),
                 enc_non_bottleneck_channels: tuple[int, ...] = (64, 128),
                 dec_upsample_channels: tuple[int, ...] = (64, 16),
                 dec_stages_non_bottleneck: tuple[int, ...] = (2, 2),
                 dec_non_bottleneck_channels: tuple[int, ...] = (64, 16),
                 dropout_ratio: float = 0.1, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True),
                 act_cfg: dict = dict(type='ReLU'), init_cfg: dict | list | None = None) -> None:
        first, *widths = enc_downsample_channels
        if not in_channels < first < min(widths) or widths != sorted(set(widths)):
            raise ConfigError('A halving of ERFNet adds channels to what it pools.',
                              got=tuple(enc_downsample_channels),
                              expected=f'growing numbers above {in_channels}',
                              culprit='enc_downsample_channels')
        _check(widths, enc_stage_non_bottlenecks, enc_non_bottleneck_dilations,
               enc_non_bottleneck_channels, dec_upsample_channels, dec_stages_non_bottleneck,
               dec_non_bottleneck_channels)
        super().__init__(init_cfg)
        acts = dict(norm_cfg={'eps': 1e-3, **norm_cfg}, act_cfg=act_cfg)
        common = dict(conv_cfg=conv_cfg, **acts)
        self.encoder = nn.ModuleList([DownsamplerBlock(in_channels, first, **common)])
        before = first
        for i, (width, num_blocks) in enumerate(zip(
                widths, enc_stage_non_bottlenecks, strict=True), 1):
            cycle = enc_non_bottleneck_dilations if i == len(widths) else (1,)
            self.encoder.append(DownsamplerBlock(before, width, **common))
            self.encoder.extend(
                NonBottleneck1d(width, dropout_ratio, cycle[j % len(cycle)], **common)
                for j in range(num_blocks))
            before = width
        self.decoder = nn.ModuleList()
        for width, num_blocks in zip(dec_upsample_channels, dec_stages_non_bottleneck,
                                     strict=True):
            self.decoder.append(UpsamplerBlock(before, width, **acts))
            self.decoder.extend(NonBottleneck1d(width, 0, 1, **common) for _ in range(num_blocks))
            before = width
        # One halving more than doublings.
        self.out_channels, self.out_strides = (before,), (2,)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """(N, C, H, W) float, normalised -> one level (N, C', ceil(H / 2), ceil(W / 2))."""
        height, width = (-(-length // 2) for length in x.shape[2:])
        for block in (*self.encoder, *self.decoder):
            x = block(x)
        return (top_left(x, height, width),)


def _check(widths, enc_blocks, dilations, enc_channels, dec_widths, dec_blocks,
           dec_channels) -> None:
    """Refuse constructor arguments that do not fit each other."""
    for name, value, length, of in (
            ('dec_upsample_channels', dec_widths, len(widths), 'halving but the first'),
            ('enc_stage_non_bottlenecks', enc_blocks, len(widths), 'halving but the first'),
            ('dec_stages_non_bottleneck', dec_blocks, len(dec_widths), 'doubling')):
        if len(value) != length:
            raise ConfigError(f'ERFNet takes one of {name} for each {of}.', got=tuple(value),
                              expected=f'{length} values', culprit=name)
    for name, value, expected in (
            ('enc_non_bottleneck_channels', enc_channels, widths),
            ('dec_non_bottleneck_channels', dec_channels, dec_widths)):
        if tuple(value) != tuple(expected):
            raise ConfigError('The blocks of ERFNet have the channels of their stage.',
                              got=tuple(value), expected=tuple(expected), culprit=name)
    if enc_blocks[-1] % len(dilations):
        raise ConfigError('The blocks of the last stage take the dilations in turn, to the end.',
                          got=enc_blocks[-1], expected=f'a multiple of {len(dilations)}',
                          culprit='enc_stage_non_bottlenecks')
