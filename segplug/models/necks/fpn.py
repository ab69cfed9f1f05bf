"""The feature pyramid: every level gets what the coarser ones know.

Lin et al., Feature Pyramid Networks for Object Detection, https://arxiv.org/abs/1612.03144.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from .levels import check_levels, level_range


@MODELS.register_module()
class FPN(BaseModule):
    """A 1x1 convolution for each level, sums from coarse to fine, a 3x3 for each sum.

    Args:
        in_channels: Channels of each level, finest first.
        out_channels: Channels of each output.
        num_outs: Number of outputs; those beyond the levels each have half the size before.
        start_level, end_level: The first level and the one after the last; -1 is all.
        add_extra_convs: What the outputs beyond the levels are convolved from: 'on_input' the
            coarsest level, 'on_lateral' its 1x1, 'on_output' the coarsest output; False takes
            every other pixel of the output before.
        extra_convs_on_inputs: ``add_extra_convs=True`` is 'on_input' with this, else
            'on_output'.
        relu_before_extra_convs: A ReLU before each of them but the first.
        no_norm_on_lateral: No norm after the 1x1.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        upsample_cfg: For the resizing, by default to the size of the finer level.
        init_cfg: mmengine's initialisation.

    Raises:
        ConfigError: For numbers of levels that do not fit each other.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, num_outs: int,
                 start_level: int = 0, end_level: int = -1,
                 add_extra_convs: bool | str = False, extra_convs_on_inputs: bool = False,
                 relu_before_extra_convs: bool = False, no_norm_on_lateral: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict | None = None,
                 act_cfg: dict | None = None, upsample_cfg: dict = dict(mode='nearest'),
                 init_cfg: dict | list | None = dict(
                     type='Xavier', layer='Conv2d', distribution='uniform')) -> None:
        super().__init__(init_cfg)
        self.levels = level_range(len(in_channels), start_level, end_level)
        if add_extra_convs is True:
            add_extra_convs = 'on_input' if extra_convs_on_inputs else 'on_output'
        _check(num_outs, len(self.levels), end_level, add_extra_convs)
        self.in_channels, self.out_channels, self.num_outs = in_channels, out_channels, num_outs
        self.add_extra_convs = add_extra_convs
        self.relu_before_extra_convs = relu_before_extra_convs
        self.upsample_cfg = dict(upsample_cfg)
        cfgs = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg, inplace=False)
        side_cfgs = dict(cfgs, norm_cfg=None) if no_norm_on_lateral else cfgs
        self.lateral_convs = nn.ModuleList(
            ConvModule(in_channels[i], out_channels, 1, **side_cfgs) for i in self.levels)
        self.fpn_convs = nn.ModuleList(
            ConvModule(out_channels, out_channels, 3, padding=1, **cfgs) for _ in self.levels)
        width = in_channels[self.levels[-1]] if add_extra_convs == 'on_input' else out_channels
        for _ in range(num_outs - len(self.levels) if add_extra_convs else 0):
            self.fpn_convs.append(
                ConvModule(width, out_channels, 3, stride=2, padding=1, **cfgs))
            width = out_channels

    def forward(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Levels, each (N, C, h, w) -> ``num_outs`` times (N, out_channels, h, w)."""
        check_levels(inputs, len(self.in_channels))
        used = [inputs[i] for i in self.levels]
        sums = [conv(x) for conv, x in zip(self.lateral_convs, used, strict=True)]
        for i in range(len(sums) - 1, 0, -1):
            size = None if 'scale_factor' in self.upsample_cfg else sums[i - 1].shape[2:]
            sums[i - 1] = sums[i - 1] + resize(sums[i], size=size, **self.upsample_cfg)
        outs = [conv(x) for conv, x in zip(self.fpn_convs, sums, strict=False)]
        sources = dict(on_input=used[-1], on_lateral=sums[-1], on_output=outs[-1])
        for i in range(len(outs), self.num_outs):
            if not self.add_extra_convs:
                outs.append(F.max_pool2d(outs[-1], 1, stride=2))
                continue
            first = i == len(self.levels)
            x = sources[self.add_extra_convs] if first else outs[-1]
            if self.relu_before_extra_convs and not first:
                x = x.relu()
            outs.append(self.fpn_convs[i](x))
        return tuple(outs)


def _check(num_outs: int, num_levels: int, end_level: int, add_extra_convs: bool | str) -> None:
    """Refuse constructor arguments that do not fit each other."""
    if num_outs < num_levels or (end_level != -1 and num_outs > num_levels):
        raise ConfigError('FPN has an output for each level it uses, and more only after the last.',
                          got=f'num_outs={num_outs}, end_level={end_level}, '
                              f'{num_levels} levels', culprit='num_outs')
    if add_extra_convs not in (False, 'on_input', 'on_lateral', 'on_output'):
        raise ConfigError('FPN has no such source of further outputs.',
                          got=repr(add_extra_convs),
                          expected="a bool, 'on_input', 'on_lateral' or 'on_output'",
                          culprit='add_extra_convs')
