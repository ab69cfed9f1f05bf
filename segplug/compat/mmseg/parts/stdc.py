"""``mmseg.models.backbones.stdc``: the module of STDC and the fusion of its paths."""

from ....errors import ConfigError
from ....models.backbones import stdc as ours
from ..stands_for import StandsFor
from . import BN, RELU, conv


class STDCModule(ours._STDCModule, metaclass=StandsFor):
    """Ours, with the settings of its convolutions in place of what makes them.

    Raises:
        ConfigError: For fewer than two convolutions, or an unknown ``fusion_type``.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int,
                 norm_cfg: dict | None = None, act_cfg: dict | None = None, num_convs: int = 4,
                 fusion_type: str = 'add', init_cfg: dict | list | None = None) -> None:
        if num_convs < 2 or fusion_type not in ('add', 'cat'):
            raise ConfigError('There is no such STDCModule.',
                              got=f'num_convs={num_convs}, fusion_type={fusion_type!r}',
                              expected="two convolutions or more, and 'add' or 'cat'",
                              culprit='num_convs' if num_convs < 2 else 'fusion_type')
        super().__init__(in_channels, out_channels, stride, conv(None, norm_cfg, act_cfg),
                         num_convs, fusion_type == 'add')
        self.init_cfg = init_cfg


class FeatureFusionModule(ours._FeatureFusion, metaclass=StandsFor):
    """Ours."""

    def __init__(self, in_channels: int, out_channels: int, scale_factor: int = 4,
                 norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, out_channels, scale_factor, norm_cfg, act_cfg)
        self.init_cfg = init_cfg
