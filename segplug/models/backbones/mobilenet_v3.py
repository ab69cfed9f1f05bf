"""MobileNetV3, https://arxiv.org/abs/1905.02244, at the output stride of 8 that segmentation wants.

Arguments and names inside follow mmsegmentation 1.2.2 (Apache-2.0). Where the classifier of
the paper would stride from 8 to 16 and 32, the kernels are dilated by 2 and 4 instead.
"""

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import Backbone, start_cfg
from ..layers.inverted_residual import InvertedResidualV3

# Tables 1 and 2 of the paper: kernel, channels between, channels out, squeeze, activation, stride.
_ARCHS = {
    'small': ((3, 16, 16, True, 'ReLU', 2), (3, 72, 24, False, 'ReLU', 2),
              (3, 88, 24, False, 'ReLU', 1), (5, 96, 40, True, 'HSwish', 2),
              (5, 240, 40, True, 'HSwish', 1), (5, 240, 40, True, 'HSwish', 1),
              (5, 120, 48, True, 'HSwish', 1), (5, 144, 48, True, 'HSwish', 1),
              (5, 288, 96, True, 'HSwish', 2), (5, 576, 96, True, 'HSwish', 1),
              (5, 576, 96, True, 'HSwish', 1)),
    'large': ((3, 16, 16, False, 'ReLU', 1), (3, 64, 24, False, 'ReLU', 2),
              (3, 72, 24, False, 'ReLU', 1), (5, 72, 40, True, 'ReLU', 2),
              (5, 120, 40, True, 'ReLU', 1), (5, 120, 40, True, 'ReLU', 1),
              (3, 240, 80, False, 'HSwish', 2), (3, 200, 80, False, 'HSwish', 1),
              (3, 184, 80, False, 'HSwish', 1), (3, 184, 80, False, 'HSwish', 1),
              (3, 480, 112, True, 'HSwish', 1), (3, 672, 112, True, 'HSwish', 1),
              (5, 672, 160, True, 'HSwish', 2), (5, 960, 160, True, 'HSwish', 1),
              (5, 960, 160, True, 'HSwish', 1)),
}
_LAST_CHANNELS = {'small': 576, 'large': 960}
_OUTPUT_STRIDE = 8


@MODELS.register_module()
class MobileNetV3(Backbone):
    """A stem (layer 0), 11 or 15 inverted residuals, and a last 1x1 convolution.

    Args:
        arch: 'small' or 'large'.
        conv_cfg, norm_cfg: As everywhere in mmcv.
        out_indices: Layers whose output is handed out: 0 to 12 of 'small', 0 to 16 of 'large'.
        frozen_stages: Highest layer that does not train; 0 is the stem alone, -1 none.
        reduction_factor: Divides the widths of the blocks that are dilated by 4.
        norm_eval: Batch norms keep their running statistics in training.
        with_cp: Gradient checkpointing of every block: less memory, more time, same numbers.
        pretrained: Weights by name, file or URL; short for ``init_cfg=dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation; default Kaiming.
        in_channels: Channels of the image.

    Attributes:
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For an unknown ``arch``, or layers that are not there.
    """

    def __init__(self, arch: str = 'small', conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), out_indices: tuple[int, ...] = (0, 1, 12),
                 frozen_stages: int = -1, reduction_factor: int = 1, norm_eval: bool = False,
                 with_cp: bool = False, pretrained: str | None = None,
                 init_cfg: dict | list | None = None, *, in_channels: int = 3) -> None:
        _check(arch, out_indices, frozen_stages, reduction_factor)
        super().__init__(start_cfg(pretrained, init_cfg), norm_eval)
        self.out_indices, self.frozen_stages = tuple(out_indices), frozen_stages
        common = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        widths, strides, dilation = [16], [2], 1
        layers = [ConvModule(in_channels, 16, 3, stride=2, norm_cfg=norm_cfg,
                             act_cfg=dict(type='HSwish'),
                             conv_cfg=dict(type='Conv2dAdaptivePadding'))]
        for kernel_size, mid, out, squeezes, act, stride in _ARCHS[arch]:
            if stride * strides[-1] > _OUTPUT_STRIDE:
                stride, dilation = 1, dilation * stride
            if dilation == 4:
                mid, out = mid // reduction_factor, out // reduction_factor
            layers.append(InvertedResidualV3(
                widths[-1], out, mid, kernel_size, stride, dilation=dilation, with_cp=with_cp,
                se_cfg=dict(channels=mid, ratio=4) if squeezes else None,
                with_expand_conv=mid != widths[-1], act_cfg=dict(type=act), **common))
            widths.append(out)
            strides.append(strides[-1] * stride)
        layers.append(ConvModule(widths[-1], _LAST_CHANNELS[arch], 1,
                                 act_cfg=dict(type='HSwish'), **common))
        widths.append(_LAST_CHANNELS[arch])
        strides.append(strides[-1])
        self.num_layers = len(layers)
        for i, layer in enumerate(layers):
            self.add_module(f'layer{i}', layer)
        levels = [i for i in range(self.num_layers) if i in self.out_indices]
        self.out_channels = tuple(widths[i] for i in levels)
        self.out_strides = tuple(strides[i] for i in levels)
        self.keep_frozen()

    def frozen(self) -> list[nn.Module]:
        """The layers up to ``frozen_stages``."""
        return [getattr(self, f'layer{i}') for i in range(self.frozen_stages + 1)]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, in_channels, H, W) float, normalised -> levels.

        Each is (N, out_channels[i], ceil(H / s), ceil(W / s)); s is ``out_strides[i]``.
        """
        levels = []
        for i in range(self.num_layers):
            x = getattr(self, f'layer{i}')(x)
            if i in self.out_indices:
                levels.append(x)
        return tuple(levels)


def _check(arch, out_indices, frozen_stages, reduction_factor) -> None:
    """Refuse constructor arguments that do not fit each other."""
    if arch not in _ARCHS:
        raise ConfigError('MobileNetV3 has no such arch.', got=repr(arch),
                          expected="'small' or 'large'", culprit='arch')
    last = len(_ARCHS[arch]) + 1
    if any(not 0 <= i <= last for i in out_indices):
        raise ConfigError(f'The {arch} MobileNetV3 hands out layers it does not have.',
                          got=tuple(out_indices), expected=f'0 to {last}', culprit='out_indices')
    if not -1 <= frozen_stages <= last:
        raise ConfigError(f'The {arch} MobileNetV3 freezes layers it does not have.',
                          got=frozen_stages, expected=f'-1 to {last}', culprit='frozen_stages')
    if reduction_factor < 1:
        raise ConfigError('reduction_factor divides widths.', got=reduction_factor,
                          expected='1 or more', culprit='reduction_factor')
