"""DenseNet 121 to 201, plain and dilated, under torchvision's names.

Huang et al., Densely Connected Convolutional Networks, https://arxiv.org/abs/1608.06993.
A level is what the next transition convolves: the block's output, normed and through a ReLU.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from ...registry import MODELS
from ..layers import extends, run_block
from ..layers.atrous import AtrousPool
from ..layers.staged import StagedBackbone, known

# Growth rate, channels of the stem, layers of each block (table 1 of the paper).
_DEPTHS = {
    121: (32, 64, (6, 12, 24, 16)), 161: (48, 96, (6, 12, 36, 24)),
    169: (32, 64, (6, 12, 32, 32)), 201: (32, 64, (6, 12, 48, 32))}
_BOTTLENECK = 4  # channels of a layer's 1x1 over the growth rate


class DenseLayer(nn.Module):
    """1x1 and 3x3 convolution, each after norm and ReLU, of all that came before."""

    def __init__(self, in_channels: int, growth_rate: int, dilation: int, norm_cfg: dict,
                 with_cp: bool) -> None:
        super().__init__()
        self.with_cp = with_cp
        width = _BOTTLENECK * growth_rate
        self.norm1 = build_norm_layer(norm_cfg, in_channels)[1]
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.norm2 = build_norm_layer(norm_cfg, width)[1]
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, growth_rate, 3, padding=dilation, dilation=dilation,
                               bias=False)

    def _new(self, maps: Sequence[Tensor]) -> Tensor:
        x = self.conv1(self.relu1(self.norm1(torch.cat(maps, dim=1))))
        return self.conv2(self.relu2(self.norm2(x)))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (N, C_i, H, W) -> (N, growth_rate, H, W)."""
        return run_block(self, self._new, tuple(maps))


class DenseBlock(nn.ModuleDict):
    """Layers each of which sees the outputs of all before it."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + len(self) * growth_rate, H, W)."""
        maps = [x]
        for layer in self.values():
            maps.append(layer(maps))
        return torch.cat(maps, dim=1)


@MODELS.register_module()
class DenseNet(StagedBackbone):
    """DenseNet-BC, https://arxiv.org/abs/1608.06993.

    Args:
        depth: 121, 161, 169 or 201.
        growth_rate: Channels that a layer adds; default the published one.
        stem_channels: Channels of the stem; default the published one.
        Others as for `StagedBackbone`.
    """

    @extends(StagedBackbone)
    def __init__(self, depth: int, growth_rate: int | None = None,
                 stem_channels: int | None = None, **options) -> None:
        growth, width, layers = known('DenseNet', _DEPTHS, 'depth', depth)
        super().__init__(**options)
        growth, width = growth_rate or growth, stem_channels or width
        parts = OrderedDict(
            conv0=nn.Conv2d(self.in_channels, width, 7, stride=2, padding=3, bias=False),
            norm0=self.norm(width), relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(3, stride=2, padding=1))
        widths = [width]
        for i, (num_layers, step) in enumerate(zip(layers, self.steps[1:], strict=True), start=1):
            if i > 1:
                parts[f'transition{i - 1}'] = nn.Sequential(OrderedDict(
                    norm=self.norm(width), relu=nn.ReLU(inplace=True),
                    conv=nn.Conv2d(width, width // 2, 1, bias=False),
                    pool=AtrousPool('avg', 2, step.stride, step.before)))
                width //= 2
            parts[f'denseblock{i}'] = self._block(width, num_layers, growth, step.after)
            width += num_layers * growth
            widths.append(width)
        parts['norm5'] = self.norm(width)
        self.features = nn.Sequential(parts)
        self.relu = nn.ReLU(inplace=True)
        self.declare(widths)

    def _block(self, width: int, num_layers: int, growth: int, dilation: int) -> DenseBlock:
        return DenseBlock({
            f'denselayer{i + 1}': DenseLayer(width + i * growth, growth, dilation, self.norm_cfg,
                                             self.with_cp)
            for i in range(num_layers)})

    def stages(self) -> list[list[nn.Module]]:
        """Those of `StagedBackbone`; a transition's norm ends a stage, its 1x1 begins one."""
        f = self.features
        stages = [[f.conv0, f.norm0, f.relu0], [f.pool0, f.denseblock1]]
        for transition, block in ((f.transition1, f.denseblock2), (f.transition2, f.denseblock3),
                                  (f.transition3, f.denseblock4)):
            stages[-1] += [transition.norm, transition.relu]
            stages.append([transition.conv, transition.pool, block])
        stages[-1] += [f.norm5, self.relu]
        return stages
