"""``mmseg.models.necks.ic_neck``: the fusion of ICNet."""

from ....models.necks import ic_neck as ours
from ..stands_for import StandsFor
from . import BN, RELU


class CascadeFeatureFusion(ours._CascadeFusion, metaclass=StandsFor):
    """Ours, with the settings of its convolutions one by one."""

    def __init__(self, low_channels: int, high_channels: int, out_channels: int,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 align_corners: bool = False, init_cfg: dict | list | None = None) -> None:
        super().__init__(low_channels, high_channels, out_channels, align_corners,
                         dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg))
        self.init_cfg = init_cfg
