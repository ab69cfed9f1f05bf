"""``mmseg.models.utils``: the layers whose published arguments are more than ours take."""

import warnings
from collections.abc import Callable, Sequence

import torch
from mmcv.cnn import ConvModule, build_upsample_layer
from torch import nn

from ...errors import ConfigError
from ...models import layers as ours
from ...models.decode_heads.point_head import training_points
from ...models.layers import inverted_residual, refuse_set, up_conv
from ...models.layers.inverted_residual import make_divisible
from ...ops.resize import resize as resize_map
from ...registry import MODELS, SCOPE
from .stands_for import StandsFor

_Pair = tuple[int, int]

SelfAttentionBlock = ours.SelfAttentionBlock


def resize(input: torch.Tensor, size: _Pair | None = None,
           scale_factor: float | _Pair | None = None, mode: str = 'nearest',
           align_corners: bool | None = None, warning: bool = True) -> torch.Tensor:
    """`segplug.ops.resize.resize`; ``warning`` has no effect, as there is none."""
    return resize_map(input, size, scale_factor, mode, align_corners)


class Upsample(up_conv._Upsample, metaclass=StandsFor):
    """Interpolation to ``size``, or to ``scale_factor`` times the size, rounded down."""

    def __init__(self, size: _Pair | None = None, scale_factor: float | _Pair | None = None,
                 mode: str = 'nearest', align_corners: bool | None = None) -> None:
        super().__init__(size, None, mode, align_corners)
        self.scale_factor = (tuple(map(float, scale_factor)) if isinstance(scale_factor, tuple)
                             else float(scale_factor) if scale_factor else None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, C, h, w)."""
        factors = self.scale_factor if isinstance(self.scale_factor, tuple) else (
            self.scale_factor,) * 2
        size = self.size or [int(length * factor)
                             for length, factor in zip(x.shape[-2:], factors, strict=True)]
        return resize(x, size, None, self.mode, self.align_corners)


class SELayer(nn.Module):
    """Squeeze and excitation, with a choice of activations.

    Args:
        channels: Channels in and out.
        ratio: ``channels`` over those between the two 1x1 convolutions, to a multiple of 8.
        conv_cfg: As everywhere in mmcv.
        act_cfg: Activation of both convolutions, or of each.

    Raises:
        ConfigError: For another number of activations.
    """

    def __init__(self, channels: int, ratio: int = 16, conv_cfg: dict | None = None,
                 act_cfg: dict | Sequence[dict] = (
                     dict(type='ReLU'), dict(type='HSigmoid', bias=3.0, divisor=6.0))) -> None:
        super().__init__()
        acts = (act_cfg, act_cfg) if isinstance(act_cfg, dict) else tuple(act_cfg)
        if len(acts) != 2:
            raise ConfigError('An SELayer has two activations.', got=act_cfg,
                              expected='a dict, or two of them', culprit='act_cfg')
        squeezed = make_divisible(channels // ratio, 8)
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        with warnings.catch_warnings():
            # mmcv tells every user of HSigmoid how it was before 1.4.4.
            warnings.simplefilter('ignore', UserWarning)
            self.conv1 = ConvModule(channels, squeezed, 1, conv_cfg=conv_cfg, act_cfg=acts[0])
            self.conv2 = ConvModule(squeezed, channels, 1, conv_cfg=conv_cfg, act_cfg=acts[1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape."""
        return x * self.conv2(self.conv1(self.global_avgpool(x)))


class InvertedResidual(inverted_residual.InvertedResidual, metaclass=StandsFor):
    """Ours, which remembers its ``stride``."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expand_ratio: float,
                 *args, **kwargs) -> None:
        super().__init__(in_channels, out_channels, stride, expand_ratio, *args, **kwargs)
        self.stride = stride


class InvertedResidualV3(inverted_residual.InvertedResidualV3, metaclass=StandsFor):
    """Ours, whose ``se_cfg`` takes all that `SELayer` takes, and which remembers its parts."""

    def __init__(self, in_channels: int, out_channels: int, mid_channels: int,
                 kernel_size: int = 3, stride: int = 1, se_cfg: dict | None = None,
                 with_expand_conv: bool = True, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), act_cfg: dict = dict(type='ReLU'),
                 with_cp: bool = False) -> None:
        plain = se_cfg and {key: se_cfg[key] for key in ('channels', 'ratio') if key in se_cfg}
        super().__init__(in_channels, out_channels, mid_channels, kernel_size, stride, plain,
                         with_expand_conv, conv_cfg, norm_cfg, act_cfg, with_cp)
        self.with_se, self.with_expand_conv = se_cfg is not None, with_expand_conv
        if self.with_se:
            self.se = SELayer(**se_cfg)


class UpConvBlock(nn.Module):
    """One step of a UNet's decoder: the coarse level grows, joins the skip, and is convolved.

    Args:
        conv_block: Class of what convolves.
        in_channels: Channels of the coarse level.
        skip_channels: Channels of the skip, and of the coarse level once it has grown.
        out_channels: Channels out.
        num_convs, stride, dilation: For ``conv_block``.
        with_cp: Gradient checkpointing.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        upsample_cfg: How the coarse level grows; None for a 1x1 convolution alone.
        dcn, plugins: Not supported, neither here nor there.

    Raises:
        ConfigError: For ``dcn`` or ``plugins``.
    """

    def __init__(self, conv_block: Callable[..., nn.Module], in_channels: int, skip_channels: int,
                 out_channels: int, num_convs: int = 2, stride: int = 1, dilation: int = 1,
                 with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict | None = dict(type='BN'),
                 act_cfg: dict | None = dict(type='ReLU'),
                 upsample_cfg: dict | None = dict(type='InterpConv'),
                 dcn: dict | None = None, plugins: dict | None = None) -> None:
        super().__init__()
        refuse_set('UpConvBlock', dict(dcn=dcn, plugins=plugins))
        common = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.conv_block = conv_block(
            in_channels=2 * skip_channels, out_channels=out_channels, num_convs=num_convs,
            stride=stride, dilation=dilation, with_cp=with_cp, conv_cfg=conv_cfg, **common)
        if upsample_cfg is None:
            self.upsample = ConvModule(in_channels, skip_channels, 1, conv_cfg=conv_cfg, **common)
        else:
            with MODELS.switch_scope_and_registry(SCOPE):
                self.upsample = build_upsample_layer(
                    cfg=upsample_cfg, in_channels=in_channels, out_channels=skip_channels,
                    with_cp=with_cp, **common)

    def forward(self, skip: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """(N, skip_channels, H, W), (N, in_channels, h, w) -> (N, out_channels, H, W)."""
        return self.conv_block(torch.cat([skip, self.upsample(x)], dim=1))


class _PooledScales:
    """The arguments of mmsegmentation's pyramids; ours have the published sizes only."""

    def __init__(self, in_channels: int, branch_channels: int, out_channels: int, num_scales: int,
                 kernel_sizes: Sequence[int] = (5, 9, 17), strides: Sequence[int] = (2, 4, 8),
                 paddings: Sequence[int] = (2, 4, 8),
                 norm_cfg: dict = dict(type='BN', momentum=0.1),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 conv_cfg: dict = dict(order=('norm', 'act', 'conv'), bias=False),
                 upsample_mode: str = 'bilinear') -> None:
        super().__init__(in_channels, branch_channels, out_channels, num_scales, norm_cfg, act_cfg)
        if conv_cfg != dict(order=('norm', 'act', 'conv'), bias=False) or \
                upsample_mode != 'bilinear':
            raise ConfigError(f'{type(self).__name__} takes no other conv_cfg or upsample_mode '
                              'in segplug.', got=f'{conv_cfg}, {upsample_mode!r}',
                              culprit='conv_cfg')
        sizes = zip(self.scales[1:-1], kernel_sizes, strides, paddings, strict=False)
        for scale, kernel, stride, padding in sizes:
            scale[0] = nn.AvgPool2d(kernel, stride, padding)


class DAPPM(_PooledScales, ours.DAPPM):
    """`segplug.models.layers.DAPPM` with the sizes of its pools by argument."""


class PAPPM(_PooledScales, ours.PAPPM):
    """`segplug.models.layers.PAPPM` with the sizes of its pools by argument."""


def get_uncertain_point_coords_with_randomness(
        mask_preds: torch.Tensor, labels: torch.Tensor, num_points: int, oversample_ratio: float,
        importance_sample_ratio: float) -> torch.Tensor:
    """Points of masks, (M, P, 2) in [0, 1]: most where a mask is unsure, the others anywhere.

    Args:
        mask_preds: (M, 1, H, W) float, one mask each.
        labels: Not used for masks of one channel.
        num_points: P.
        oversample_ratio: Candidates per point.
        importance_sample_ratio: Share of the points that are chosen among the candidates.
    """
    masks = torch.cat([mask_preds, -mask_preds], dim=1)
    return training_points(masks, num_points, oversample_ratio, importance_sample_ratio,
                           align_corners=False)
