"""``mmseg.models.backbones.bisenetv2``: the branches of BiSeNetV2, their layers, their fusion."""

import torch
from mmengine.model import BaseModule

from ....models.backbones import bisenetv2 as ours
from ..stands_for import StandsFor
from . import BN, RELU, conv, only


class DetailBranch(ours._Detail, metaclass=StandsFor):
    """Ours, with the settings of its convolutions in place of what makes them."""

    def __init__(self, detail_channels: tuple[int, ...] = (64, 64, 128), in_channels: int = 3,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, detail_channels, conv(conv_cfg, norm_cfg, act_cfg))
        self.init_cfg = init_cfg


class StemBlock(ours._Stem, metaclass=StandsFor):
    """Ours, likewise."""

    def __init__(self, in_channels: int = 3, out_channels: int = 16,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, out_channels, conv(conv_cfg, norm_cfg, act_cfg))
        self.init_cfg = init_cfg


class GELayer(ours._GatherExpand, metaclass=StandsFor):
    """Ours, likewise."""

    def __init__(self, in_channels: int, out_channels: int, exp_ratio: int = 6, stride: int = 1,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, out_channels, exp_ratio, stride,
                         conv(conv_cfg, norm_cfg, act_cfg), norm_cfg, act_cfg)
        self.init_cfg = init_cfg


class CEBlock(ours._ContextEmbedding, metaclass=StandsFor):
    """Ours, likewise.

    Raises:
        ConfigError: Unless as many channels come out as in, without which it cannot add them.
    """

    def __init__(self, in_channels: int = 3, out_channels: int = 16,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        only('CEBlock', out_channels=(out_channels, in_channels))
        super().__init__(out_channels, conv(conv_cfg, norm_cfg, act_cfg), norm_cfg)
        self.init_cfg = init_cfg


class SemanticBranch(BaseModule):
    """Stem, three stages and the context embedding; all five come out.

    Args:
        semantic_channels: Widths of stem and stages.
        in_channels: Channels of the image.
        exp_ratio: Of each `GELayer`.
        init_cfg: mmengine's initialisation.
    """

    def __init__(self, semantic_channels: tuple[int, ...] = (16, 32, 64, 128),
                 in_channels: int = 3, exp_ratio: int = 6,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        branch = ours._semantic(in_channels, semantic_channels, exp_ratio, conv(None, BN, RELU),
                                BN, RELU)
        self.semantic_stages = []
        for name, stage in branch.named_children():
            self.semantic_stages.append(name)
            self.add_module(name, stage)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) -> what each stage gives, of stride 4, 8, 16, 32 and 32."""
        outs = []
        for name in self.semantic_stages:
            x = getattr(self, name)(x)
            outs.append(x)
        return outs


class BGALayer(ours._Aggregation, metaclass=StandsFor):
    """Ours, with the settings of its convolutions in place of what makes them."""

    def __init__(self, out_channels: int = 128, align_corners: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(out_channels, align_corners, conv(conv_cfg, norm_cfg, act_cfg), norm_cfg)
        self.init_cfg = init_cfg
