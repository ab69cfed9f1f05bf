"""HRNet: branches of several resolutions side by side that exchange what they know.

Wang et al., Deep High-Resolution Representation Learning, https://arxiv.org/abs/1908.07919;
Sun et al., https://arxiv.org/abs/1904.04514. Module names are mmsegmentation's.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import build_conv_layer, build_norm_layer
from mmengine.model import BaseModule, ModuleList, Sequential
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import Backbone, BasicBlock, Bottleneck, NumberedNorms, ResLayer, start_cfg

_BLOCKS = {'BASIC': BasicBlock, 'BOTTLENECK': Bottleneck}
_STAGE_KEYS = ('num_modules', 'num_branches', 'block', 'num_blocks', 'num_channels')


def _conv(cin: int, cout: int, kernel_size: int, stride: int, conv_cfg: dict | None,
          norm_cfg: dict, relu: bool = False) -> nn.Sequential:
    conv = build_conv_layer(conv_cfg, cin, cout, kernel_size, stride=stride,
                            padding=kernel_size // 2, bias=False)
    layers = [conv, build_norm_layer(norm_cfg, cout)[1]]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class HRModule(BaseModule):
    """Residual blocks in each branch, then each branch adds up what all of them have.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        num_blocks: Of each branch.
        num_channels: Channels of each branch over ``block.expansion``, finest first; each
            branch has half the size of the one before.
        multiscale_output: Whether all branches come out, or the finest alone.
        conv_cfg, norm_cfg: As everywhere in mmcv.
        block_options: Further arguments of each block.
    """

    def __init__(self, block: type, num_blocks: Sequence[int], num_channels: Sequence[int],
                 multiscale_output: bool = True, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), **block_options) -> None:
        super().__init__()
        widths = [planes * block.expansion for planes in num_channels]
        self.branches = ModuleList(
            ResLayer(block, width, planes, num, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                     **block_options)
            for width, planes, num in zip(widths, num_channels, num_blocks, strict=True))
        self.relu = nn.ReLU(inplace=True)
        num_out = len(widths) if multiscale_output else 1
        self.fuse_layers = ModuleList(
            nn.ModuleList(_exchange(j, i, widths, conv_cfg, norm_cfg) for j in range(len(widths)))
            for i in range(num_out)) if len(widths) > 1 else None

    def forward(self, levels: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Branches, each (N, C, h, w) -> as many of the same shapes, or the first."""
        levels = [branch(x) for branch, x in zip(self.branches, levels, strict=True)]
        if self.fuse_layers is None:
            return levels
        fused = []
        for i, layers in enumerate(self.fuse_layers):
            parts = [x if layer is None else
                     resize(layer(x), size=levels[i].shape[2:], mode='bilinear',
                            align_corners=False) if j > i else layer(x)
                     for j, (layer, x) in enumerate(zip(layers, levels, strict=True))]
            fused.append(self.relu(sum(parts)))
        return fused


def _exchange(source: int, target: int, widths: Sequence[int], conv_cfg: dict | None,
              norm_cfg: dict) -> nn.Sequential | None:
    """From one branch to another: a 1x1 where it is coarser, 3x3s that halve where it is finer."""
    if source == target:
        return None
    if source > target:
        return _conv(widths[source], widths[target], 1, 1, conv_cfg, norm_cfg)
    last = target - source - 1
    return nn.Sequential(*(
        _conv(widths[source], widths[target if k == last else source], 3, 2, conv_cfg, norm_cfg,
              relu=k < last) for k in range(last + 1)))


@MODELS.register_module()
class HRNet(NumberedNorms, Backbone):
    """HRNet, https://arxiv.org/abs/1908.07919.

    A coarser branch that is added to a finer one is resized once, as in the paper's code;
    mmsegmentation doubles its size first, which gives the same where sides divide by 32.

    Args:
        extra: 'stage1' to 'stage4', each a dict of num_modules, num_branches, block ('BASIC' or
            'BOTTLENECK'), num_blocks and num_channels (one of each per branch).
        in_channels: Channels of the image.
        conv_cfg: Type of convolution; None is Conv2d.
        norm_cfg: Type of norm.
        norm_eval: Batch norms keep their running statistics in training.
        with_cp: Gradient checkpointing of every block.
        frozen_stages: Highest stage that does not train; 0 is the stem alone, -1 none.
        zero_init_residual: Blocks start as identity (without ``init_cfg`` only).
        multiscale_output: Whether all branches come out, or the finest alone.
        pretrained: Weights by name, file or URL; short for ``init_cfg=dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation; default Kaiming.

    Attributes:
        out_channels: Channels of each level.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For stages that lack a key, do not fit themselves or are not there.
    """

    def __init__(self, extra: dict, in_channels: int = 3, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True), norm_eval: bool = False,
                 with_cp: bool = False, frozen_stages: int = -1,
                 zero_init_residual: bool = False, multiscale_output: bool = True,
                 pretrained: str | None = None, init_cfg: dict | list | None = None) -> None:
        stages = [_checked(extra, f'stage{i}') for i in (1, 2, 3, 4)]
        if not -1 <= frozen_stages <= 4:
            raise ConfigError('HRNet freezes stages it does not have.', got=frozen_stages,
                              expected='-1 to 4', culprit='frozen_stages')
        zero_init_residual = zero_init_residual and pretrained is None and init_cfg is None
        super().__init__(start_cfg(pretrained, init_cfg), norm_eval)
        self.frozen_stages = frozen_stages
        layer = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        self._make_stem(in_channels, **layer)
        widths = [64]
        for number, stage in enumerate(stages, 1):
            block = _BLOCKS[stage['block']]
            options = dict(layer, with_cp=with_cp,
                           init_cfg=block.identity_cfg if zero_init_residual else None)
            if number == 1:
                planes = stage['num_channels'][0]
                self.layer1 = ResLayer(block, 64, planes, stage['num_blocks'][0], **options)
                widths = [planes * block.expansion]
                continue
            before = widths
            widths = [planes * block.expansion for planes in stage['num_channels']]
            self.add_module(f'transition{number - 1}', _transition(before, widths, **layer))
            num = stage['num_modules']
            self.add_module(f'stage{number}', Sequential(*(
                HRModule(block, stage['num_blocks'], stage['num_channels'],
                         multiscale_output or number < 4 or k < num - 1, **options)
                for k in range(num))))
        num_out = len(widths) if multiscale_output else 1
        self.out_channels = tuple(widths[:num_out])
        self.out_strides = tuple(4 * 2**i for i in range(num_out))
        self.keep_frozen()

    def _make_stem(self, in_channels: int, conv_cfg: dict | None, norm_cfg: dict) -> None:
        for i, cin in ((1, in_channels), (2, 64)):
            self.add_module(f'conv{i}', build_conv_layer(conv_cfg, cin, 64, 3, stride=2,
                                                         padding=1, bias=False))
            self._add_norm(norm_cfg, 64, i)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels of stride 4, 8, 16 and 32."""
        x = self.relu(self.norm1(self.conv1(x)))
        x = self.relu(self.norm2(self.conv2(x)))
        levels = [self.layer1(x)]
        for number in (2, 3, 4):
            # New branches grow out of the coarsest one there is.
            levels = [(levels[i] if i < len(levels) else levels[-1]) if layer is None
                      else layer(levels[min(i, len(levels) - 1)])
                      for i, layer in enumerate(getattr(self, f'transition{number - 1}'))]
            levels = getattr(self, f'stage{number}')(levels)
        return tuple(levels)

    def frozen(self) -> list[nn.Module]:
        """The stem and the stages up to ``frozen_stages``, each with the transition after it."""
        names = ['conv1', self.norm1_name, 'conv2', self.norm2_name, 'layer1', 'transition1',
                 'stage2', 'transition2', 'stage3', 'transition3', 'stage4']
        num = 0 if self.frozen_stages < 0 else 4 + 2 * self.frozen_stages
        return [getattr(self, name) for name in names[:num]]


def _checked(extra: dict, name: str) -> dict:
    """``extra[name]``, which describes a stage."""
    stage = extra.get(name)
    if stage is None or any(key not in stage for key in _STAGE_KEYS):
        raise ConfigError(f'HRNet lacks a description of {name}.', got=stage,
                          expected=f'a dict of {", ".join(_STAGE_KEYS)}', culprit=name)
    if stage['block'] not in _BLOCKS:
        raise ConfigError(f'HRNet has no such block for {name}.', got=repr(stage['block']),
                          expected=' or '.join(map(repr, _BLOCKS)), culprit='block')
    for key in ('num_blocks', 'num_channels'):
        if len(stage[key]) != stage['num_branches']:
            raise ConfigError(f'HRNet takes one of {key} per branch of {name}.', got=stage[key],
                              expected=f'{stage["num_branches"]} values', culprit=key)
    return stage


def _transition(before: Sequence[int], widths: Sequence[int], conv_cfg: dict | None,
                norm_cfg: dict) -> nn.ModuleList:
    """From the branches of one stage to those of the next; None hands a branch on as it is."""
    layers = []
    for i, width in enumerate(widths):
        if i < len(before):
            layers.append(None if width == before[i] else
                          _conv(before[i], width, 3, 1, conv_cfg, norm_cfg, relu=True))
            continue
        last = i - len(before)
        layers.append(nn.Sequential(*(
            _conv(before[-1], width if k == last else before[-1], 3, 2, conv_cfg, norm_cfg,
                  relu=True) for k in range(last + 1))))
    return nn.ModuleList(layers)
