"""ResNet 18 to 152, plain and dilated, with open-mmlab's arguments and torchvision's names.

Followed: mmsegmentation 1.2.2 (Apache-2.0) in arguments, attributes and layout. Not taken over:
deformable convolutions, which are compiled operators, and `plugins`, blocks inside of residual
blocks, which no published segmentor has. New: `out_stem`, the level that a UNet needs.
"""

import torch
from mmcv.cnn import build_conv_layer, build_norm_layer
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import (
    Backbone,
    BasicBlock,
    Bottleneck,
    NumberedNorms,
    ResLayer,
    extends,
    refuse_set,
    start_cfg,
)


@MODELS.register_module()
class ResNet(NumberedNorms, Backbone):
    """ResNet, https://arxiv.org/abs/1512.03385.

    Args:
        depth: 18, 34, 50, 101 or 152.
        in_channels: Channels of the image.
        stem_channels: Channels of the stem.
        base_channels: Width of the first stage before the block's expansion; doubles per stage.
        num_stages: 1 to 4.
        strides: Stride of the first block of each stage.
        dilations: Dilation of each stage.
        out_indices: Stages whose output is handed out.
        style: Where a bottleneck strides: 'pytorch' in the 3x3, 'caffe' in the first 1x1.
        deep_stem: Three 3x3 convolutions in place of one 7x7.
        avg_down: Shortcuts average before a 1x1 of stride 1.
        frozen_stages: Highest stage that does not train; 0 is the stem alone, -1 none.
        conv_cfg: Type of convolution; None is Conv2d.
        norm_cfg: Type of norm.
        norm_eval: Batch norms keep their running statistics in training.
        dcn, stage_with_dcn, plugins: As they are by default; configs may name them.
        multi_grid: Dilation of each block of the last stage.
        contract_dilation: The first block of a dilated stage has half its dilation.
        with_cp: Gradient checkpointing of every block: less memory, more time, same numbers.
        zero_init_residual: Blocks start as identity (without ``init_cfg`` only).
        pretrained: Weights by name, file or URL; short for ``init_cfg=dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation; default Kaiming.
        out_stem: Hand out the stem before max-pooling (half the image's size) as first level.

    Attributes:
        arch_settings: Block, and blocks in each stage, by depth (table 1 of the paper).
        block, stage_blocks: What that is for this depth and number of stages.
        res_layers: Names of the stages.
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For an unknown depth or style, lengths that do not fit, or ``dcn`` or
            ``plugins``.
    """

    arch_settings = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }

    def __init__(self, depth: int, in_channels: int = 3, stem_channels: int = 64,
                 base_channels: int = 64, num_stages: int = 4,
                 strides: tuple[int, ...] = (1, 2, 2, 2),
                 dilations: tuple[int, ...] = (1, 1, 1, 1),
                 out_indices: tuple[int, ...] = (0, 1, 2, 3), style: str = 'pytorch',
                 deep_stem: bool = False, avg_down: bool = False, frozen_stages: int = -1,
                 conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True), norm_eval: bool = False,
                 dcn: dict | None = None,
                 stage_with_dcn: tuple[bool, ...] = (False, False, False, False),
                 plugins: list[dict] | None = None,
                 multi_grid: tuple[int, ...] | None = None, contract_dilation: bool = False,
                 with_cp: bool = False, zero_init_residual: bool = True,
                 pretrained: str | None = None, init_cfg: dict | list | None = None,
                 out_stem: bool = False) -> None:
        _check(self.arch_settings, depth, num_stages, strides, dilations, out_indices, style,
               frozen_stages, multi_grid, dict(dcn=dcn, plugins=plugins))
        identity = pretrained is None and init_cfg is None and zero_init_residual
        super().__init__(start_cfg(pretrained, init_cfg), norm_eval)
        self.depth, self.num_stages, self.style = depth, num_stages, style
        self.stem_channels, self.base_channels = stem_channels, base_channels
        self.strides, self.dilations, self.out_indices = strides, dilations, tuple(out_indices)
        self.deep_stem, self.avg_down, self.out_stem = deep_stem, avg_down, out_stem
        self.conv_cfg, self.norm_cfg, self.frozen_stages = conv_cfg, norm_cfg, frozen_stages
        self.block, blocks = self.arch_settings[depth]
        self.stage_blocks = blocks[:num_stages]
        self.res_layers = [f'layer{i + 1}' for i in range(num_stages)]
        self._make_stem_layer(in_channels, stem_channels)
        width, stride = stem_channels, 4
        channels, level_strides = [stem_channels] * out_stem, [2] * out_stem
        for i, name in enumerate(self.res_layers):
            planes = base_channels * 2**i
            last = i == num_stages - 1
            self.add_module(name, self.make_res_layer(
                block=self.block, inplanes=width, planes=planes, num_blocks=blocks[i],
                stride=strides[i], dilation=dilations[i], avg_down=avg_down,
                multi_grid=multi_grid if last else None, contract_dilation=contract_dilation,
                style=style, with_cp=with_cp, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                init_cfg=getattr(self.block, 'identity_cfg', None) if identity else None))
            width, stride = planes * self.block.expansion, stride * strides[i]
            if i in self.out_indices:
                channels.append(width)
                level_strides.append(stride)
        self.out_channels, self.out_strides = tuple(channels), tuple(level_strides)
        self.keep_frozen()

    def make_res_layer(self, **options) -> ResLayer:
        """A stage; a variant adds arguments of its blocks to those of `ResLayer`."""
        return ResLayer(**options)

    def _make_stem_layer(self, in_channels: int, channels: int) -> None:
        conv_cfg, norm_cfg = self.conv_cfg, self.norm_cfg
        if self.deep_stem:
            layers = []
            for cin, cout, stride in ((in_channels, channels // 2, 2),
                                      (channels // 2, channels // 2, 1),
                                      (channels // 2, channels, 1)):
                layers += [build_conv_layer(conv_cfg, cin, cout, 3, stride=stride, padding=1,
                                            bias=False),
                           build_norm_layer(norm_cfg, cout)[1], nn.ReLU(inplace=True)]
            self.stem = nn.Sequential(*layers)
        else:
            self.conv1 = build_conv_layer(conv_cfg, in_channels, channels, 7, stride=2,
                                          padding=3, bias=False)
            self._add_norm(norm_cfg, channels, 1)
            self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels, each (N, out_channels[i], ceil(H / s), ...).

        s is ``out_strides[i]``.
        """
        x = self.stem(x) if self.deep_stem else self.relu(self.norm1(self.conv1(x)))
        levels = [x] if self.out_stem else []
        x = self.maxpool(x)
        for i, name in enumerate(self.res_layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                levels.append(x)
        return tuple(levels)

    def frozen(self) -> list[nn.Module]:
        """The stem and the stages up to ``frozen_stages``."""
        if self.frozen_stages < 0:
            return []
        stem = [self.stem] if self.deep_stem else [self.conv1, self.norm1]
        return stem + [getattr(self, name) for name in self.res_layers[:self.frozen_stages]]


def _check(settings, depth, num_stages, strides, dilations, out_indices, style, frozen_stages,
           multi_grid, absent) -> None:
    """Refuse constructor arguments that do not fit each other."""
    refuse_set('ResNet', absent)
    if depth not in settings:
        raise ConfigError('ResNet has no such depth.', got=depth, expected=tuple(settings),
                          culprit='depth')
    if style not in ('pytorch', 'caffe'):
        raise ConfigError('ResNet has no such style.', got=repr(style),
                          expected="'pytorch' or 'caffe'", culprit='style')
    if not 1 <= num_stages <= 4:
        raise ConfigError('ResNet has 1 to 4 stages.', got=num_stages, culprit='num_stages')
    for name, value in (('strides', strides), ('dilations', dilations)):
        if len(value) != num_stages:
            raise ConfigError(f'ResNet takes one of {name} per stage.', got=value,
                              expected=f'{num_stages} values', culprit=name)
    if any(not 0 <= i < num_stages for i in out_indices):
        raise ConfigError('ResNet hands out stages it does not have.', got=tuple(out_indices),
                          expected=f'0 to {num_stages - 1}', culprit='out_indices')
    if not -1 <= frozen_stages <= num_stages:
        raise ConfigError('ResNet freezes stages it does not have.', got=frozen_stages,
                          expected=f'-1 to {num_stages}', culprit='frozen_stages')
    last = settings[depth][1][num_stages - 1]
    if multi_grid is not None and len(multi_grid) != last:
        raise ConfigError('multi_grid is one dilation for each block of the last stage.',
                          got=tuple(multi_grid), expected=f'{last} values',
                          culprit='multi_grid')


@MODELS.register_module()
class ResNetV1c(ResNet):
    """ResNet with the deep stem, https://arxiv.org/abs/1812.01187."""

    @extends(ResNet, without=('deep_stem', 'avg_down'))
    def __init__(self, **options) -> None:
        super().__init__(deep_stem=True, avg_down=False, **options)


@MODELS.register_module()
class ResNetV1d(ResNet):
    """ResNet with the deep stem and averaging shortcuts, https://arxiv.org/abs/1812.01187."""

    @extends(ResNet, without=('deep_stem', 'avg_down'))
    def __init__(self, **options) -> None:
        super().__init__(deep_stem=True, avg_down=True, **options)
