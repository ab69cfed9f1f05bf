"""``mmseg.models.backbones.erfnet``: the blocks of ERFNet, with defaults."""

from ....models.backbones import erfnet as ours
from ..stands_for import StandsFor
from . import RELU, only

_BN = dict(type='BN', eps=1e-3)


class DownsamplerBlock(ours.DownsamplerBlock, metaclass=StandsFor):
    """Ours; ``init_cfg`` has no effect."""

    def __init__(self, in_channels: int, out_channels: int, conv_cfg: dict | None = None,
                 norm_cfg: dict = _BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, out_channels, conv_cfg, norm_cfg, act_cfg)


class NonBottleneck1d(ours.NonBottleneck1d, metaclass=StandsFor):
    """Ours; ``init_cfg`` has no effect.

    Raises:
        ConfigError: For other than two pairs of convolutions.
    """

    def __init__(self, channels: int, drop_rate: float = 0, dilation: int = 1,
                 num_conv_layer: int = 2, conv_cfg: dict | None = None, norm_cfg: dict = _BN,
                 act_cfg: dict = RELU, init_cfg: dict | list | None = None) -> None:
        only('NonBottleneck1d', num_conv_layer=(num_conv_layer, 2))
        super().__init__(channels, drop_rate, dilation, conv_cfg, norm_cfg, act_cfg)


class UpsamplerBlock(ours.UpsamplerBlock, metaclass=StandsFor):
    """Ours; ``conv_cfg`` and ``init_cfg`` have no effect."""

    def __init__(self, in_channels: int, out_channels: int, conv_cfg: dict | None = None,
                 norm_cfg: dict = _BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, out_channels, norm_cfg, act_cfg)
