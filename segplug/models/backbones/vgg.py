"""VGG 11 to 19, with batch norm and without, plain and dilated, under torchvision's names.

Simonyan and Zisserman, Very Deep Convolutional Networks, https://arxiv.org/abs/1409.1556.
"""

import torch
from torch import nn

from ...registry import MODELS
from ..layers import extends, run_block
from ..layers.atrous import AtrousPool
from ..layers.staged import StagedBackbone, known

# 3x3 convolutions of each of the five blocks: A, B, D and E in table 1 of the paper.
_DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_WIDTHS = (1, 2, 4, 8, 8)  # times those of the first block


class _Block(nn.Module):
    """Layers of ``features``, which holds their weights, run as one."""

    def __init__(self, layers: nn.Sequential, with_cp: bool) -> None:
        super().__init__()
        self.layers, self.with_cp = layers, with_cp

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the layers do, one after the other."""
        return run_block(self, self.layers, x)


@MODELS.register_module()
class VGG(StagedBackbone):
    """VGG's convolutions, https://arxiv.org/abs/1409.1556.

    The first block works at the image's size. The stem is the first two blocks, a stage one
    block more, and the last stage the last pooling alone; in a UNet it is the bottom of the net.

    Args:
        depth: 11, 13, 16 or 19.
        norm_cfg: Norm after each convolution; None for the networks of the paper,
            ``dict(type='BN')`` for torchvision's vgg16_bn and the like.
        base_channels: Width of the first block.
        Others as for `StagedBackbone`.
    """

    @extends(StagedBackbone)
    def __init__(self, depth: int, norm_cfg: dict | None = None, base_channels: int = 64,
                 **options) -> None:
        num_convs = known('VGG', _DEPTHS, 'depth', depth)
        super().__init__(norm_cfg=norm_cfg, **options)
        layers, self._ends, width = [], [], self.in_channels
        # A pooling before each block but the first, and one after the last.
        for step, repeats, factor in zip([None, *self.steps[:4]], num_convs, _WIDTHS, strict=True):
            if step:
                layers.append(AtrousPool('max', 2, step.stride, step.before))
            for _ in range(repeats):
                layers += self._convolution(width, base_channels * factor,
                                            step.after if step else 1)
                width = base_channels * factor
            self._ends.append(len(layers))
        layers.append(AtrousPool('max', 2, self.steps[4].stride, self.steps[4].before))
        self._ends.append(len(layers))
        self.features = nn.Sequential(*layers)
        self.declare([base_channels * factor for factor in (*_WIDTHS[1:], _WIDTHS[-1])])

    def _convolution(self, in_channels: int, channels: int, dilation: int) -> list[nn.Module]:
        norm = [self.norm(channels)] if self.norm_cfg else []
        return [nn.Conv2d(in_channels, channels, 3, padding=dilation, dilation=dilation), *norm,
                nn.ReLU(inplace=True)]

    def stages(self) -> list[list[nn.Module]]:
        """Those of `StagedBackbone`, each one block but the stem."""
        ends = [0, *self._ends[1:]]
        return [[_Block(self.features[a:b], self.with_cp)]
                for a, b in zip(ends, ends[1:], strict=False)]
