"""Inception-ResNet-v2, plain and dilated, under the names of timm and Cadene.

Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning,
https://arxiv.org/abs/1602.07261. Different: every layer is padded, so that H pixels become
ceil(H / stride), where the published classifier loses a border at each change of size. Its weights
fit; segmentation_models.pytorch pads alike.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import extends, run_block
from ..layers.atrous import AtrousPool, Step
from ..layers.staged import StagedBackbone

# A branch is a chain of convolutions, (channels, kernel), and 'pool' is the pooling that strides.
_MIXED_5B = (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))
_BLOCK35 = (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))
_MIXED_6A = (((384, 3),), ((256, 1), (256, 3), (384, 3)))
_BLOCK17 = (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))
_MIXED_7A = (((256, 1), (384, 3)), ((256, 1), (288, 3)), ((256, 1), (288, 3), (320, 3)))
_BLOCK8 = (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))


def conv(cin: int, cout: int, kernel, norm_cfg: dict, stride: int = 1,
         dilation: int = 1) -> nn.Sequential:
    """Convolution without bias, norm and ReLU; padded so that only the stride changes the size."""
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    return nn.Sequential(OrderedDict(
        conv=nn.Conv2d(cin, cout, kernel, stride=stride, dilation=dilation, bias=False,
                       padding=tuple(side // 2 * dilation for side in sides)),
        bn=build_norm_layer(norm_cfg, cout)[1], relu=nn.ReLU(inplace=True)))


class _Branches(nn.Module):
    """Chains of convolutions side by side, their outputs joined; the last of each may stride.

    Args:
        in_channels: Channels in.
        chains: (channels, kernel) of the convolutions of each chain.
        step: Stride of the last of each chain; dilation of all.

    Attributes:
        out_channels: Channels out.
    """

    def __init__(self, in_channels: int, chains: Sequence, step: Step, norm_cfg: dict,
                 with_cp: bool) -> None:
        super().__init__()
        self.with_cp = with_cp
        self.out_channels, self.num_branches = sum(chain[-1][0] for chain in chains), len(chains)
        for i, chain in enumerate(chains):
            widths = [in_channels, *(channels for channels, _ in chain)]
            layers = [conv(widths[j], channels, kernel, norm_cfg,
                           step.stride if j == len(chain) - 1 else 1, step.before)
                      for j, (channels, kernel) in enumerate(chain)]
            self.add_module(f'branch{i}', layers[0] if len(layers) == 1 else
                            nn.Sequential(*layers))

    def _add_branch(self, branch: nn.Module, channels: int) -> None:
        self.add_module(f'branch{self.num_branches}', branch)
        self.num_branches += 1
        self.out_channels += channels

    def _join(self, x: Tensor) -> Tensor:
        return torch.cat([getattr(self, f'branch{i}')(x) for i in range(self.num_branches)], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        return run_block(self, self._join, x)


class MixedBlock(_Branches):
    """Branches of which one is average-pooled (stem), or max-pooled with the stride (reduction)."""

    def __init__(self, in_channels: int, chains: Sequence, step: Step, norm_cfg: dict,
                 with_cp: bool, average_channels: int = 0) -> None:
        super().__init__(in_channels, chains, step, norm_cfg, with_cp)
        if average_channels:
            pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
            self._add_branch(nn.Sequential(pool, conv(in_channels, average_channels, 1, norm_cfg)),
                             average_channels)
        else:
            self._add_branch(AtrousPool('max', 3, step.stride, step.before, centred=True),
                             in_channels)


class ResidualBlock(_Branches):
    """Branches, a 1x1 back to the block's width, a fraction of it added to what came in."""

    def __init__(self, in_channels: int, chains: Sequence, scale: float, dilation: int,
                 norm_cfg: dict, with_cp: bool, ends_in_relu: bool = True) -> None:
        super().__init__(in_channels, chains, Step(1, dilation, dilation), norm_cfg, with_cp)
        self.scale = scale
        self.conv2d = nn.Conv2d(self.out_channels, in_channels, 1)
        self.relu = nn.ReLU(inplace=True) if ends_in_relu else nn.Identity()

    def _join(self, x: Tensor) -> Tensor:
        return self.relu(self.conv2d(super()._join(x)) * self.scale + x)


@MODELS.register_module()
class InceptionResNetV2(StagedBackbone):
    """Inception-ResNet-v2, https://arxiv.org/abs/1602.07261.

    The published weights take images of mean 127.5 and deviation 127.5 (RGB).

    Args:
        num_blocks: Residual blocks of the last three stages; the last stage has one more.
        Others as for `StagedBackbone`; norms have an epsilon of 0.001 unless it is set.
    """

    norm_options = dict(eps=0.001)

    @extends(StagedBackbone)
    def __init__(self, num_blocks: Sequence[int] = (10, 20, 9), **options) -> None:
        if len(num_blocks) != 3:
            raise ConfigError('InceptionResNetV2 has three stages of blocks.',
                              got=tuple(num_blocks), expected='3 values', culprit='num_blocks')
        super().__init__(**options)
        norm_cfg = self.norm_cfg
        common = dict(norm_cfg=norm_cfg, with_cp=self.with_cp)
        _, _, step2, step3, step4 = self.steps

        def repeated(width, chains, scale, count, step):
            return nn.Sequential(*(ResidualBlock(width, chains, scale, step.after, **common)
                                   for _ in range(count)))

        self.conv2d_1a = conv(self.in_channels, 32, 3, norm_cfg, stride=2)
        self.conv2d_2a = conv(32, 32, 3, norm_cfg)
        self.conv2d_2b = conv(32, 64, 3, norm_cfg)
        self.maxpool_3a = AtrousPool('max', 3, 2, centred=True)
        self.conv2d_3b = conv(64, 80, 1, norm_cfg)
        self.conv2d_4a = conv(80, 192, 3, norm_cfg)
        self.maxpool_5a = AtrousPool('max', 3, step2.stride, step2.before, centred=True)
        self.mixed_5b = MixedBlock(192, _MIXED_5B, Step(1, 1, 1), **common, average_channels=64)
        self.repeat = repeated(320, _BLOCK35, 0.17, num_blocks[0], step2)
        self.mixed_6a = MixedBlock(320, _MIXED_6A, step3, **common)
        self.repeat_1 = repeated(1088, _BLOCK17, 0.10, num_blocks[1], step3)
        self.mixed_7a = MixedBlock(1088, _MIXED_7A, step4, **common)
        self.repeat_2 = repeated(2080, _BLOCK8, 0.20, num_blocks[2], step4)
        self.block8 = ResidualBlock(2080, _BLOCK8, 1.0, step4.after, **common, ends_in_relu=False)
        self.conv2d_7b = conv(2080, 1536, 1, norm_cfg)
        self.declare((64, 192, 320, 1088, 1536))

    def stages(self) -> list[list[nn.Module]]:
        """Those of `StagedBackbone`."""
        return [[self.conv2d_1a, self.conv2d_2a, self.conv2d_2b],
                [self.maxpool_3a, self.conv2d_3b, self.conv2d_4a],
                [self.maxpool_5a, self.mixed_5b, self.repeat],
                [self.mixed_6a, self.repeat_1],
                [self.mixed_7a, self.repeat_2, self.block8, self.conv2d_7b]]
