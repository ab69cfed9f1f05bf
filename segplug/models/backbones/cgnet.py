"""CGNet, https://arxiv.org/abs/1811.08201: each block sees its pixel, its surround and the image.

Arguments and names inside follow mmsegmentation 1.2.2 (Apache-2.0). Different: ``act_cfg`` is
not written to, so two models can share one.
"""

import torch
from mmcv.cnn import ConvModule, build_conv_layer, build_norm_layer
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import Backbone, check_several, run_block, start_cfg

# PReLU starts as ReLU.
_START = (dict(type='Kaiming', layer=['Conv2d', 'Linear']),
          dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']),
          dict(type='Constant', val=0, layer='PReLU'))


class GlobalContextExtractor(nn.Module):
    """Each channel times a gate between 0 and 1 that sees the means of all channels.

    Args:
        channel: Channels in and out.
        reduction: ``channel`` over those between the two linear layers.
        with_cp: Gradient checkpointing.

    Raises:
        ConfigError: If ``reduction`` leaves no channel.
    """

    def __init__(self, channel: int, reduction: int = 16, with_cp: bool = False) -> None:
        super().__init__()
        if not 1 <= reduction <= channel:
            raise ConfigError('A reduction of CGNet leaves at least one channel.', got=reduction,
                              expected=f'1 to {channel}', culprit='reductions')
        self.with_cp = with_cp
        self.fc = nn.Sequential(
            nn.Linear(channel, channel // reduction), nn.ReLU(inplace=True),
            nn.Linear(channel // reduction, channel), nn.Sigmoid())

    def _gated(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.fc(x.mean(dim=(2, 3)))[:, :, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape."""
        return run_block(self, self._gated, x)


class ContextGuidedBlock(nn.Module):
    """Local and surrounding 3x3 within each channel, joined, then the global gate.

    Args:
        in_channels, out_channels: Channels in and out.
        dilation: Of the surrounding 3x3.
        reduction: Of the global gate.
        skip_connect: The input is added, unless the block halves the size.
        downsample: The block halves the size, by a strided 3x3 in place of the first 1x1.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv; ``act_cfg`` is of the first
            convolution, the joined maps have a PReLU.
        with_cp: Gradient checkpointing.
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 2,
                 reduction: int = 16, skip_connect: bool = True, downsample: bool = False,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True),
                 act_cfg: dict = dict(type='PReLU'), with_cp: bool = False) -> None:
        super().__init__()
        self.with_cp, self.downsample = with_cp, downsample
        self.skip_connect = skip_connect and not downsample
        channels = out_channels if downsample else out_channels // 2
        kernel_size, stride = (3, 2) if downsample else (1, 1)
        self.conv1x1 = ConvModule(
            in_channels, channels, kernel_size, stride, kernel_size // 2, conv_cfg=conv_cfg,
            norm_cfg=norm_cfg, act_cfg=_sized(act_cfg, channels))
        within = dict(kernel_size=3, groups=channels, bias=False)
        self.f_loc = build_conv_layer(conv_cfg, channels, channels, padding=1, **within)
        self.f_sur = build_conv_layer(conv_cfg, channels, channels, padding=dilation,
                                      dilation=dilation, **within)
        self.bn = build_norm_layer(norm_cfg, 2 * channels)[1]
        self.activate = nn.PReLU(2 * channels)
        if downsample:
            self.bottleneck = build_conv_layer(conv_cfg, 2 * channels, out_channels,
                                               kernel_size=1, bias=False)
        self.f_glo = GlobalContextExtractor(out_channels, reduction, with_cp)

    def _context(self, x: torch.Tensor) -> torch.Tensor:
        local = self.conv1x1(x)
        joined = torch.cat([self.f_loc(local), self.f_sur(local)], dim=1)
        joined = self.activate(self.bn(joined))
        if self.downsample:
            joined = self.bottleneck(joined)
        out = self.f_glo(joined)
        return x + out if self.skip_connect else out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, out_channels, H, W), or half of it rounded up."""
        return run_block(self, self._context, x)


@MODELS.register_module()
class CGNet(Backbone):
    """A stem and two stages; a smaller image is joined to what the first two hand out.

    Args:
        in_channels: Channels of the image.
        num_channels: Widths of the stem and the two stages.
        num_blocks: Blocks of the two stages.
        dilations: Of the surrounding 3x3 in the two stages.
        reductions: Of the global gates in the two stages.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        norm_eval: Batch norms keep their running statistics in training.
        with_cp: Gradient checkpointing of every block: less memory, more time, same numbers.
        pretrained: Weights by name, file or URL; short for ``init_cfg=dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation; default Kaiming, and PReLU starts as ReLU.

    Attributes:
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For lengths that do not fit.
    """

    out_strides = (2, 4, 8)

    def __init__(self, in_channels: int = 3, num_channels: tuple[int, int, int] = (32, 64, 128),
                 num_blocks: tuple[int, int] = (3, 21), dilations: tuple[int, int] = (2, 4),
                 reductions: tuple[int, int] = (8, 16), conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True),
                 act_cfg: dict = dict(type='PReLU'), norm_eval: bool = False,
                 with_cp: bool = False, pretrained: str | None = None,
                 init_cfg: dict | list | None = None) -> None:
        for name, value, length in (('num_channels', num_channels, 3),
                                    ('num_blocks', num_blocks, 2), ('dilations', dilations, 2),
                                    ('reductions', reductions, 2)):
            check_several('CGNet', **{name: value})
            if len(value) != length:
                raise ConfigError(f'CGNet takes {length} {name}.', got=tuple(value),
                                  expected=f'{length} values', culprit=name)
        super().__init__(start_cfg(pretrained, init_cfg, _START), norm_eval)
        common = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        stem = num_channels[0]
        self.stem = nn.ModuleList(
            ConvModule(stem if i else in_channels, stem, 3, 1 if i else 2, 1,
                       act_cfg=_sized(act_cfg, stem), **common) for i in range(3))
        # An average over 3x3 halves the image; the zeros around it count.
        self.halve = nn.AvgPool2d(3, stride=2, padding=1)
        widths = [stem + in_channels, 2 * num_channels[1] + in_channels, 2 * num_channels[2]]
        for i, width in enumerate(widths):
            self.add_module(f'norm_prelu_{i}', nn.Sequential(
                build_norm_layer(norm_cfg, width)[1], nn.PReLU(width)))
        for i in (1, 2):
            self.add_module(f'level{i}', nn.ModuleList(
                ContextGuidedBlock(num_channels[i] if j else widths[i - 1], num_channels[i],
                                   dilations[i - 1], reductions[i - 1], downsample=j == 0,
                                   act_cfg=act_cfg, with_cp=with_cp, **common)
                for j in range(num_blocks[i - 1])))
        self.out_channels = tuple(widths)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels, each (N, out_channels[i], ceil(H / s), ...).

        s is ``out_strides[i]``.
        """
        half = self.halve(x)
        quarter = self.halve(half)
        for layer in self.stem:
            x = layer(x)
        first = self.norm_prelu_0(torch.cat([x, half], dim=1))
        second = self.norm_prelu_1(torch.cat([*_ends(self.level1, first), quarter], dim=1))
        end, start = _ends(self.level2, second)
        return first, second, self.norm_prelu_2(torch.cat([start, end], dim=1))


def _ends(blocks: nn.ModuleList, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the last and the first of ``blocks`` give."""
    x = start = blocks[0](x)
    for block in blocks[1:]:
        x = block(x)
    return x, start


def _sized(act_cfg: dict, channels: int) -> dict:
    """``act_cfg``; a PReLU learns one slope per channel."""
    return dict(act_cfg, num_parameters=channels) if act_cfg['type'] == 'PReLU' else act_cfg
