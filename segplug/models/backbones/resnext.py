"""ResNeXt: a ResNet whose 3x3 convolutions are in groups.

Xie et al., Aggregated Residual Transformations, https://arxiv.org/abs/1611.05431.
"""

from ...registry import MODELS
from ..layers import ResLayer, extends
from .resnet import ResNet


@MODELS.register_module()
class ResNeXt(ResNet):
    """ResNet with groups; ``groups=32, base_width=4`` is the paper's 32x4d.

    In mmsegmentation ``zero_init_residual`` has no effect on it.

    Args:
        groups: Groups of the 3x3 convolutions (cardinality).
        base_width: Channels of a group in the first stage; doubles per stage.
        Others as for `ResNet`; ``depth`` is 50, 101 or 152.
    """

    arch_settings = {depth: ResNet.arch_settings[depth] for depth in (50, 101, 152)}

    @extends(ResNet)
    def __init__(self, groups: int = 1, base_width: int = 4, **options) -> None:
        self.groups, self.base_width = groups, base_width
        super().__init__(**options)

    def make_res_layer(self, **options) -> ResLayer:
        """A stage, as `ResNet`'s, of blocks in groups."""
        return super().make_res_layer(groups=self.groups, base_width=self.base_width,
                                      base_channels=self.base_channels, **options)
