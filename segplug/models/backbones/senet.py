"""SENet-154, SE-ResNet and SE-ResNeXt, plain and dilated, under the names of their published files.

Hu et al., Squeeze-and-Excitation Networks, https://arxiv.org/abs/1709.01507. The names are those
of Cadene's pretrained-models.pytorch, which timm's legacy_senet154 and the like have too.
"""

from collections import OrderedDict
from typing import NamedTuple

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from ...registry import MODELS
from ..layers import extends, run_block
from ..layers.atrous import AtrousPool, Step
from ..layers.staged import StagedBackbone, known

_EXPANSION = 4


class _Arch(NamedTuple):
    """Blocks of each stage, groups of the 3x3, channels of its input and of it over ``planes``."""

    blocks: tuple[int, ...]
    groups: int = 1
    width: float = 1
    middle: float = 1
    strides_first: bool = False
    deep_stem: bool = False


_ARCHS = {
    'senet154': _Arch((3, 8, 36, 3), groups=64, width=2, middle=4, deep_stem=True),
    'se_resnet50': _Arch((3, 4, 6, 3), strides_first=True),
    'se_resnet101': _Arch((3, 4, 23, 3), strides_first=True),
    'se_resnet152': _Arch((3, 8, 36, 3), strides_first=True),
    'se_resnext50_32x4d': _Arch((3, 4, 6, 3), groups=32, width=2, middle=2),
    'se_resnext101_32x4d': _Arch((3, 4, 23, 3), groups=32, width=2, middle=2),
}


class SEModule(nn.Module):
    """Each channel times a gate that sees the mean of all (section 3 of the paper)."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        gate = self.fc2(self.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True))))
        return x * gate.sigmoid()


class SEBottleneck(nn.Module):
    """A bottleneck whose residual goes through an `SEModule`.

    Args:
        in_channels: Channels in.
        planes: Channels out over 4.
        arch: Widths and groups, and where the block strides: in the 3x3, or in the first 1x1.
        step: Stride and dilations.
        downsample: Brings the input to the size and width of the output, where they differ.
        reduction: Channels over the width of the gate's hidden layer.
    """

    def __init__(self, in_channels: int, planes: int, arch: _Arch, step: Step,
                 downsample: nn.Module | None, reduction: int, norm_cfg: dict,
                 with_cp: bool) -> None:
        super().__init__()
        self.with_cp = with_cp
        width, middle, out = int(planes * arch.width), int(planes * arch.middle), planes * 4
        first, second = (step.stride, 1) if arch.strides_first else (1, step.stride)
        dilation = step.after if arch.strides_first else step.before
        self.conv1 = nn.Conv2d(in_channels, width, 1, stride=first, bias=False)
        self.bn1 = build_norm_layer(norm_cfg, width)[1]
        self.conv2 = nn.Conv2d(width, middle, 3, stride=second, padding=dilation,
                               dilation=dilation, groups=arch.groups, bias=False)
        self.bn2 = build_norm_layer(norm_cfg, middle)[1]
        self.conv3 = nn.Conv2d(middle, out, 1, bias=False)
        self.bn3 = build_norm_layer(norm_cfg, out)[1]
        self.relu = nn.ReLU(inplace=True)
        self.se_module = SEModule(out, reduction)
        self.downsample = downsample

    def _sum(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.se_module(self.bn3(self.conv3(out)))
        return out + (x if self.downsample is None else self.downsample(x))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 4 planes, ceil(H / stride), ceil(W / stride))."""
        return self.relu(run_block(self, self._sum, x))


@MODELS.register_module()
class SENet(StagedBackbone):
    """The SENet family, https://arxiv.org/abs/1709.01507.

    A gate sees the mean over the whole map, which is another over a dilated map than over the
    plain one; all else is the same where both have a pixel.

    Args:
        arch: 'senet154', 'se_resnet50', 'se_resnet101', 'se_resnet152', 'se_resnext50_32x4d' or
            'se_resnext101_32x4d'.
        base_channels: Width of the first stage over 4; doubles per stage.
        reduction: Channels over the width of a gate's hidden layer.
        Others as for `StagedBackbone`.
    """

    @extends(StagedBackbone)
    def __init__(self, arch: str, base_channels: int = 64, reduction: int = 16,
                 **options) -> None:
        kind = known('SENet', _ARCHS, 'arch', arch)
        super().__init__(**options)
        self.arch = arch
        width = base_channels * (2 if kind.deep_stem else 1)
        self.layer0 = self._stem(base_channels, width, kind.deep_stem)
        self.pool0 = AtrousPool('max', 3, 2)
        widths = [width]
        for i, (num_blocks, step) in enumerate(zip(kind.blocks, self.steps[1:], strict=True)):
            planes = base_channels * 2**i
            if i == 0:
                step = Step(1, 1, 1)  # the pooling strides
            shortcut = self._shortcut(width, planes * _EXPANSION, step,
                                      3 if kind.deep_stem and i else 1)
            common = dict(reduction=reduction, norm_cfg=self.norm_cfg, with_cp=self.with_cp)
            blocks = [SEBottleneck(width, planes, kind, step, shortcut, **common)]
            width = planes * _EXPANSION
            blocks += [SEBottleneck(width, planes, kind, Step(1, step.after, step.after), None,
                                    **common) for _ in range(num_blocks - 1)]
            self.add_module(f'layer{i + 1}', nn.Sequential(*blocks))
            widths.append(width)
        self.declare(widths)

    def _stem(self, base: int, width: int, is_deep: bool) -> nn.Sequential:
        sizes = [(self.in_channels, width, 7, 2)]
        if is_deep:
            sizes = [(self.in_channels, base, 3, 2), (base, base, 3, 1), (base, width, 3, 1)]
        layers = OrderedDict()
        for i, (cin, cout, kernel, stride) in enumerate(sizes, start=1):
            layers[f'conv{i}'] = nn.Conv2d(cin, cout, kernel, stride=stride, padding=kernel // 2,
                                           bias=False)
            layers[f'bn{i}'] = self.norm(cout)
            layers[f'relu{i}'] = nn.ReLU(inplace=True)
        return nn.Sequential(layers)

    def _shortcut(self, cin: int, cout: int, step: Step, kernel: int) -> nn.Sequential:
        conv = nn.Conv2d(cin, cout, kernel, stride=step.stride, padding=kernel // 2 * step.before,
                         dilation=step.before, bias=False)
        return nn.Sequential(conv, self.norm(cout))

    def stages(self) -> list[list[nn.Module]]:
        """Those of `StagedBackbone`."""
        return [[self.layer0], [self.pool0, self.layer1], [self.layer2], [self.layer3],
                [self.layer4]]
