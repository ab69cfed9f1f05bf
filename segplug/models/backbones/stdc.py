"""STDC: short-term dense concatenation, and the context path that makes a segmenter of it.

Fan et al., Rethinking BiSeNet, https://arxiv.org/abs/2104.13188. Module names are those of
mmsegmentation 1.2.2, under which published weights are stored.
"""

from collections.abc import Callable
from functools import partial

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from .bisenetv1 import AttentionRefinement

# Strides of the modules of stages 3, 4 and 5 (table 2).
_STAGES = {
    'STDCNet1': ((2, 1), (2, 1), (2, 1)),
    'STDCNet2': ((2, 1, 1, 1), (2, 1, 1, 1, 1), (2, 1, 1)),
}


class _STDCModule(BaseModule):
    """Convolutions in a row, each half as wide as the one before; all their outputs joined.

    Args:
        in_channels: Channels in.
        channels: Channels out; the convolutions have 1/2, 1/4 ... of it, the last two alike.
        stride: 1 or 2.
        conv: Makes a convolution with norm and activation.
        num_convs: Number of convolutions, the first one 1x1.
        add: Add the input (with stride 2 a convolved one) to what is joined.
    """

    def __init__(self, in_channels: int, channels: int, stride: int,
                 conv: Callable[..., nn.Module], num_convs: int, add: bool) -> None:
        super().__init__()
        self.stride, self.add = stride, add
        half = channels // 2
        first = conv(in_channels, half, 1)
        if stride == 2:
            halve = partial(conv, kernel_size=3, stride=2, padding=1, act_cfg=None)
            self.downsample = halve(half, half, groups=half)
            if add:
                # Registered twice, as in the published state dicts.
                first = nn.Sequential(first, self.downsample)
                self.skip = nn.Sequential(halve(in_channels, in_channels, groups=in_channels),
                                          conv(in_channels, channels, 1, act_cfg=None))
            else:
                self.skip = nn.AvgPool2d(3, stride=2, padding=1)
        widths = [channels // 2**i for i in range(1, num_convs)]
        self.layers = nn.ModuleList([first, *(
            conv(a, b, 3, padding=1) for a, b in zip(widths, [*widths[1:], widths[-1]],
                                                     strict=True))])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, channels, ceil(H / stride), ceil(W / stride))."""
        out = self.layers[0](x)
        outs = [out]
        if self.stride == 2 and not self.add:
            outs, out = [self.skip(out)], self.downsample(out)
        for layer in self.layers[1:]:
            out = layer(out)
            outs.append(out)
        joined = torch.cat(outs, dim=1)
        if not self.add:
            return joined
        return joined + (self.skip(x) if self.stride == 2 else x)


@MODELS.register_module()
class STDCNet(BaseModule):
    """STDC1 and STDC2, https://arxiv.org/abs/2104.13188.

    Args:
        stdc_type: 'STDCNet1' or 'STDCNet2'.
        in_channels: Channels of the image.
        channels: Widths of the five stages.
        bottleneck_type: 'cat' joins the outputs of a module, 'add' adds its input besides.
        norm_cfg, act_cfg: As everywhere in mmcv.
        num_convs: Convolutions in a module.
        with_final_conv: A 1x1 convolution to at least 1024 channels after the last stage.
        pretrained: Not supported; in the published signature, where it does nothing.
        init_cfg: mmengine's initialisation.

    Attributes:
        out_channels: Channels of stages 3, 4 and 5.
        out_strides: Their strides.

    Raises:
        ConfigError: For an unknown type, or another number of widths.
    """

    def __init__(self, stdc_type: str, in_channels: int, channels: tuple[int, ...],
                 bottleneck_type: str, norm_cfg: dict, act_cfg: dict, num_convs: int = 4,
                 with_final_conv: bool = False, pretrained: str | None = None,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        _check(stdc_type, channels, bottleneck_type, num_convs, pretrained)
        conv = partial(ConvModule, norm_cfg=norm_cfg, act_cfg=act_cfg)
        module = partial(_STDCModule, conv=conv, num_convs=num_convs,
                         add=bottleneck_type == 'add')
        self.stages = nn.ModuleList([
            conv(in_channels, channels[0], 3, stride=2, padding=1),
            conv(channels[0], channels[1], 3, stride=2, padding=1)])
        for cin, cout, strides in zip(channels[1:], channels[2:], _STAGES[stdc_type],
                                      strict=False):
            self.stages.append(nn.Sequential(*(
                module(cout if i else cin, cout, stride) for i, stride in enumerate(strides))))
        last = channels[-1]
        self.with_final_conv = with_final_conv
        if with_final_conv:
            last = max(1024, last)
            self.final_conv = conv(channels[-1], last, 1)
        self.out_channels, self.out_strides = (*channels[2:4], last), (8, 16, 32)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels of stride 8, 16 and 32."""
        outs = []
        for stage in self.stages:
            x = stage(x)
            outs.append(x)
        if self.with_final_conv:
            outs[-1] = self.final_conv(outs[-1])
        return tuple(outs[2:])


def _check(stdc_type, channels, bottleneck_type, num_convs, pretrained) -> None:
    """Refuse constructor arguments that do not fit each other."""
    if stdc_type not in _STAGES:
        raise ConfigError('STDCNet has no such type.', got=repr(stdc_type),
                          expected=tuple(_STAGES), culprit='stdc_type')
    if bottleneck_type not in ('add', 'cat'):
        raise ConfigError('STDCNet has no such bottleneck.', got=repr(bottleneck_type),
                          expected="'add' or 'cat'", culprit='bottleneck_type')
    if len(channels) != 5:
        raise ConfigError('STDCNet has five stages.', got=tuple(channels), expected='5 widths',
                          culprit='channels')
    if num_convs < 2:
        raise ConfigError('A module of STDCNet has at least two convolutions.', got=num_convs,
                          culprit='num_convs')
    if pretrained is not None:
        raise ConfigError('STDCNet starts from init_cfg.', got=f'pretrained={pretrained!r}',
                          fix='init_cfg=dict(type="Pretrained", checkpoint=...)',
                          culprit='pretrained')


class _FeatureFusion(BaseModule):
    """Join, convolve, and add a copy that is weighed by channel through a bottleneck."""

    def __init__(self, in_channels: int, out_channels: int, scale_factor: int = 4,
                 norm_cfg: dict = dict(type='BN'), act_cfg: dict = dict(type='ReLU')) -> None:
        super().__init__()
        narrow = out_channels // scale_factor
        self.conv0 = ConvModule(in_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            ConvModule(out_channels, narrow, 1, bias=False, act_cfg=act_cfg),
            ConvModule(narrow, out_channels, 1, bias=False, act_cfg=None), nn.Sigmoid())

    def forward(self, detail: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        x = self.conv0(torch.cat([detail, context], dim=1))
        return x + x * self.attention(x)


@MODELS.register_module()
class STDCContextPathNet(BaseModule):
    """STDC-Seg without its heads (figure 4): STDC, BiSeNet's context path, and their fusion.

    Args:
        backbone_cfg: An `STDCNet`, or any encoder with levels of stride 8, 16 and 32.
        last_in_channels: Channels of its levels of stride 32 and 16, in this order.
        out_channels: Width of the context path.
        ffm_cfg: in_channels, out_channels and scale_factor of the fusion, and its norm_cfg
            and act_cfg; in_channels is the encoder's at stride 8 plus ``out_channels``.
        upsample_mode: How the context path is resized.
        align_corners: For its resizes; None with 'nearest'.
        norm_cfg, init_cfg: As everywhere in mmcv and mmengine.

    Attributes:
        out_channels: Channels of each level: the encoder's at stride 8 for the head of the
            boundaries; the context at stride 16 and 8; the fusion.
        out_strides: Their strides.
    """

    def __init__(self, backbone_cfg: dict, last_in_channels: tuple[int, int] = (1024, 512),
                 out_channels: int = 128,
                 ffm_cfg: dict = dict(in_channels=512, out_channels=256, scale_factor=4),
                 upsample_mode: str = 'nearest', align_corners: bool | None = None,
                 norm_cfg: dict = dict(type='BN'), init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone_cfg)
        conv = partial(ConvModule, norm_cfg=norm_cfg)
        self.arms = nn.ModuleList(AttentionRefinement(width, out_channels, conv)
                                  for width in last_in_channels)
        self.convs = nn.ModuleList(conv(out_channels, out_channels, 3, padding=1)
                                   for _ in last_in_channels)
        self.conv_avg = conv(last_in_channels[0], out_channels, 1)
        self.ffm = _FeatureFusion(**{'norm_cfg': norm_cfg, **ffm_cfg})
        self.upsample_mode, self.align_corners = upsample_mode, align_corners
        self.out_channels = (ffm_cfg['in_channels'] - out_channels, out_channels, out_channels,
                             ffm_cfg['out_channels'])
        self.out_strides = (8, 16, 8, 8)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels, each (N, out_channels[i], h, w)."""
        x8, x16, x32 = self.backbone(x)
        context, contexts = self.conv_avg(x32.mean((2, 3), keepdim=True)), []
        for arm, conv, level, finer in zip(self.arms, self.convs, (x32, x16), (x16, x8),
                                           strict=True):
            context = conv(resize(arm(level) + context, size=finer.shape[2:],
                                  mode=self.upsample_mode, align_corners=self.align_corners))
            contexts.append(context)
        return (x8, *contexts, self.ffm(x8, context))
