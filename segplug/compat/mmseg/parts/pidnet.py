"""``mmseg.models.backbones.pidnet``: the fusions of PIDNet."""

import torch
from mmcv.cnn import ConvModule, build_activation_layer
from torch.nn import functional as F

from ....models.backbones import pidnet as ours
from ..stands_for import StandsFor
from . import BN, only

_RELU = dict(type='ReLU', inplace=True)


class PagFM(ours._PixelAttention, metaclass=StandsFor):
    """Ours, with a choice of what its gate sees.

    Args:
        in_channels: C.
        channels: Channels of the embeddings.
        after_relu: The branches are activated first, by ``act_cfg``.
        with_channel: A gate for each channel, by a 1x1 convolution of the products.
        upsample_mode: How I grows to the size of P.
        norm_cfg, act_cfg, init_cfg: As everywhere in mmcv and mmengine.
    """

    def __init__(self, in_channels: int, channels: int, after_relu: bool = False,
                 with_channel: bool = False, upsample_mode: str = 'bilinear',
                 norm_cfg: dict | None = BN, act_cfg: dict = _RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, channels, norm_cfg)
        self.init_cfg, self.upsample_mode = init_cfg, upsample_mode
        self.after_relu, self.with_channel = after_relu, with_channel
        if with_channel:
            self.up = ConvModule(channels, in_channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        if after_relu:
            self.relu = build_activation_layer(act_cfg)

    def forward(self, p: torch.Tensor, i: torch.Tensor) -> torch.Tensor:
        """(N, C, h, w) and a smaller (N, C, h', w') -> (N, C, h, w)."""
        if self.after_relu:
            p, i = self.relu(p), self.relu(i)
        products = self.f_p(p) * self._up(self.f_i(i), p)
        alike = self.up(products) if self.with_channel else products.sum(dim=1, keepdim=True)
        gate = alike.sigmoid()
        return gate * self._up(i, p) + (1 - gate) * p

    def _up(self, x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, size=like.shape[2:], mode=self.upsample_mode,
                             align_corners=False)


class Bag(ours._Bag, metaclass=StandsFor):
    """Ours, with a choice of its convolution; norm and activation come first by ``conv_cfg``."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3,
                 padding: int = 1, norm_cfg: dict | None = BN, act_cfg: dict | None = _RELU,
                 conv_cfg: dict = dict(order=('norm', 'act', 'conv')),
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, norm_cfg, act_cfg)
        self.init_cfg = init_cfg
        self.conv = ConvModule(in_channels, out_channels, kernel_size, padding=padding,
                               norm_cfg=norm_cfg, act_cfg=act_cfg, **conv_cfg)


class LightBag(ours._LightBag, metaclass=StandsFor):
    """Ours, with a choice of the channels out.

    Raises:
        ConfigError: With ``act_cfg``.
    """

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict | None = BN,
                 act_cfg: dict | None = None, init_cfg: dict | list | None = None) -> None:
        only('LightBag', act_cfg=(act_cfg, None))
        super().__init__(in_channels, norm_cfg)
        self.init_cfg = init_cfg
        if out_channels != in_channels:
            self.f_p, self.f_i = (ConvModule(in_channels, out_channels, 1, norm_cfg=norm_cfg,
                                             act_cfg=None) for _ in range(2))
