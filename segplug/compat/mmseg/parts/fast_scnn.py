"""``mmseg.models.backbones.fast_scnn``: the three parts of Fast-SCNN."""

from collections.abc import Sequence

from ....models.backbones import fast_scnn as ours
from ..stands_for import StandsFor
from . import BN, RELU, only


class LearningToDownsample(ours.LearningToDownsample, metaclass=StandsFor):
    """Ours, with the settings of its convolutions one by one."""

    def __init__(self, in_channels: int, dw_channels: Sequence[int], out_channels: int,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 dw_act_cfg: dict | None = None) -> None:
        super().__init__(in_channels, dw_channels, out_channels, dw_act_cfg,
                         dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg))


class GlobalFeatureExtractor(ours.GlobalFeatureExtractor, metaclass=StandsFor):
    """Ours, likewise.

    Raises:
        ConfigError: For other than the published expansion, blocks and scales.
    """

    def __init__(self, in_channels: int = 64, block_channels: Sequence[int] = (64, 96, 128),
                 out_channels: int = 128, expand_ratio: int = 6,
                 num_blocks: Sequence[int] = (3, 3, 3), strides: Sequence[int] = (2, 2, 1),
                 pool_scales: Sequence[int] = (1, 2, 3, 6), conv_cfg: dict | None = None,
                 norm_cfg: dict = BN, act_cfg: dict = RELU, align_corners: bool = False) -> None:
        only('GlobalFeatureExtractor', expand_ratio=(expand_ratio, 6),
             num_blocks=(tuple(num_blocks), (3, 3, 3)),
             pool_scales=(tuple(pool_scales), (1, 2, 3, 6)))
        super().__init__(in_channels, block_channels, out_channels, strides, align_corners,
                         dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg))


class FeatureFusionModule(ours.FeatureFusionModule, metaclass=StandsFor):
    """Ours, likewise.

    Raises:
        ConfigError: With ``conv_act_cfg``.
    """

    def __init__(self, higher_in_channels: int, lower_in_channels: int, out_channels: int,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN,
                 dwconv_act_cfg: dict = RELU, conv_act_cfg: dict | None = None,
                 align_corners: bool = False) -> None:
        only('FeatureFusionModule', conv_act_cfg=(conv_act_cfg, None))
        super().__init__(higher_in_channels, lower_in_channels, out_channels, align_corners,
                         dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=dwconv_act_cfg))
