"""MobileNetV2, https://arxiv.org/abs/1801.04381, plain and dilated.

Arguments and names inside follow mmsegmentation 1.2.2 (Apache-2.0). Different: one level is
handed out as a tuple of one; a frozen stem keeps its running statistics.
"""

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import Backbone, start_cfg
from ..layers.inverted_residual import InvertedResidual, make_divisible

# Table 2 of the paper: expansion, channels, blocks. The strides are arguments.
_LAYERS = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))


@MODELS.register_module()
class MobileNetV2(Backbone):
    """A stem and seven layers of inverted residuals.

    Args:
        widen_factor: Times the channels of every layer, to a multiple of 8.
        strides, dilations: Of the first block of each of the seven layers; the other blocks are
            neither strided nor dilated, as in the published models.
        out_indices: Layers whose output is handed out.
        frozen_stages: Highest layer that does not train; 0 is the stem alone, -1 none.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        norm_eval: Batch norms keep their running statistics in training.
        with_cp: Gradient checkpointing of every block: less memory, more time, same numbers.
        pretrained: Weights by name, file or URL; short for ``init_cfg=dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation; default Kaiming.
        in_channels: Channels of the image.

    Attributes:
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For layers that are not there, or lengths that do not fit.
    """

    def __init__(self, widen_factor: float = 1.0,
                 strides: tuple[int, ...] = (1, 2, 2, 2, 1, 2, 1),
                 dilations: tuple[int, ...] = (1, 1, 1, 1, 1, 1, 1),
                 out_indices: tuple[int, ...] = (1, 2, 4, 6), frozen_stages: int = -1,
                 conv_cfg: dict | None = None, norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU6'), norm_eval: bool = False,
                 with_cp: bool = False, pretrained: str | None = None,
                 init_cfg: dict | list | None = None, *, in_channels: int = 3) -> None:
        _check(strides, dilations, out_indices, frozen_stages)
        super().__init__(start_cfg(pretrained, init_cfg), norm_eval)
        self.out_indices, self.frozen_stages = tuple(out_indices), frozen_stages
        common = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        width, stride = make_divisible(32 * widen_factor, 8), 2
        self.conv1 = ConvModule(in_channels, width, 3, stride=2, padding=1, **common)
        channels, level_strides = [], []
        for i, (expand_ratio, planes, num_blocks) in enumerate(_LAYERS):
            planes = make_divisible(planes * widen_factor, 8)
            self.add_module(f'layer{i + 1}', nn.Sequential(*(
                InvertedResidual(planes if j else width, planes, 1 if j else strides[i],
                                 expand_ratio, 1 if j else dilations[i], with_cp=with_cp, **common)
                for j in range(num_blocks))))
            width, stride = planes, stride * strides[i]
            if i in self.out_indices:
                channels.append(width)
                level_strides.append(stride)
        self.out_channels, self.out_strides = tuple(channels), tuple(level_strides)
        self.keep_frozen()

    def frozen(self) -> list[nn.Module]:
        """The stem and the layers up to ``frozen_stages``."""
        stages = [self.conv1, *(getattr(self, f'layer{i + 1}') for i in range(len(_LAYERS)))]
        return stages[:self.frozen_stages + 1]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, in_channels, H, W) float, normalised -> levels.

        Each is (N, out_channels[i], ceil(H / s), ceil(W / s)); s is ``out_strides[i]``.
        """
        x = self.conv1(x)
        levels = []
        for i in range(len(_LAYERS)):
            x = getattr(self, f'layer{i + 1}')(x)
            if i in self.out_indices:
                levels.append(x)
        return tuple(levels)


def _check(strides, dilations, out_indices, frozen_stages) -> None:
    """Refuse constructor arguments that do not fit each other."""
    num_layers = len(_LAYERS)
    for name, value in (('strides', strides), ('dilations', dilations)):
        if len(value) != num_layers:
            raise ConfigError(f'MobileNetV2 takes one of {name} per layer.', got=tuple(value),
                              expected=f'{num_layers} values', culprit=name)
    if any(not 0 <= i < num_layers for i in out_indices):
        raise ConfigError('MobileNetV2 hands out layers it does not have.',
                          got=tuple(out_indices), expected=f'0 to {num_layers - 1}',
                          culprit='out_indices')
    if not -1 <= frozen_stages <= num_layers:
        raise ConfigError('MobileNetV2 freezes layers it does not have.', got=frozen_stages,
                          expected=f'-1 to {num_layers}', culprit='frozen_stages')
