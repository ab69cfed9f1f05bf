"""``mmseg.models.backbones.unet``: the convolutions of a UNet."""

from ....models.layers import refuse_set, up_conv
from ..stands_for import StandsFor


class BasicConvBlock(up_conv.BasicConvBlock, metaclass=StandsFor):
    """Ours, which refuses ``dcn`` and ``plugins`` as theirs does.

    Raises:
        ConfigError: For one of them.
    """

    def __init__(self, in_channels: int, out_channels: int, num_convs: int = 2, stride: int = 1,
                 dilation: int = 1, with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict | None = dict(type='BN'),
                 act_cfg: dict | None = dict(type='ReLU'), dcn: dict | None = None,
                 plugins: list | None = None) -> None:
        refuse_set('BasicConvBlock', dict(dcn=dcn, plugins=plugins))
        super().__init__(in_channels, out_channels, num_convs, stride, dilation, with_cp,
                         conv_cfg, norm_cfg, act_cfg)
