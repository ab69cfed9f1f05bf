"""ResNeXt: a ResNet whose 3x3 convolutions are in groups.

Xie et al., Aggregated Residual Transformations, https://arxiv.org/abs/1611.05431.
"""

from ...registry import MODELS
from ..layers import extends
from .resnet import ResNet


@MODELS.register_module()
class ResNeXt(ResNet):
    """ResNet with groups; ``groups=32, base_width=4`` is the paper's 32x4d.

    Args:
        groups: Groups of the 3x3 convolutions (cardinality).
        base_width: Channels of a group in the first stage; doubles per stage.
        Others as for `ResNet`; ``depth`` is 50, 101 or 152.
    """

    depths = {depth: ResNet.depths[depth] for depth in (50, 101, 152)}

    @extends(ResNet)
    def __init__(self, groups: int = 1, base_width: int = 4, **options) -> None:
        self.groups, self.base_width = groups, base_width
        self.block_options = dict(groups=groups, base_width=base_width,
                                  base_channels=options.get('base_channels', 64))
        super().__init__(**options)
