"""``mmseg.models.backbones.hrnet``: the module of HRNet."""

from collections.abc import Sequence

from mmengine.model import ModuleList

from ....errors import ConfigError
from ....models.backbones import hrnet as ours
from ....models.layers import ResLayer
from ..stands_for import StandsFor


class HRModule(ours.HRModule, metaclass=StandsFor):
    """Ours, whose branches may be given other channels than they give.

    Args:
        num_branches: Number of branches.
        blocks: `BasicBlock` or `Bottleneck`.
        num_blocks, num_channels: As for ours.
        in_channels: Channels that come into each branch; a list holds those that come out then.
        multiscale_output, with_cp, conv_cfg, norm_cfg: As for ours.
        block_init_cfg: Initialisation of each block.
        init_cfg: mmengine's initialisation.

    Raises:
        ConfigError: If the lengths differ.
    """

    def __init__(self, num_branches: int, blocks: type, num_blocks: Sequence[int],
                 in_channels: Sequence[int], num_channels: Sequence[int],
                 multiscale_output: bool = True, with_cp: bool = False,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True),
                 block_init_cfg: dict | list | None = None,
                 init_cfg: dict | list | None = None) -> None:
        lengths = [len(values) for values in (num_blocks, num_channels, in_channels)]
        if lengths != [num_branches] * 3:
            raise ConfigError('An HRModule takes one value for each branch.', got=lengths,
                              expected=f'{num_branches} num_blocks, num_channels and in_channels',
                              culprit='num_branches')
        options = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, with_cp=with_cp,
                       init_cfg=block_init_cfg)
        super().__init__(blocks, num_blocks, num_channels, multiscale_output, **options)
        self.init_cfg, self.with_cp = init_cfg, with_cp
        self.num_branches, self.multiscale_output = num_branches, multiscale_output
        self.conv_cfg, self.norm_cfg = conv_cfg, norm_cfg
        widths = [planes * blocks.expansion for planes in num_channels]
        if list(in_channels) != widths:
            self.branches = ModuleList(
                ResLayer(blocks, width, planes, number, **options)
                for width, planes, number in zip(in_channels, num_channels, num_blocks,
                                                 strict=True))
        if isinstance(in_channels, list):
            in_channels[:] = widths
        self.in_channels = in_channels
