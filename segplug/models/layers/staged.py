"""What encoders share that hand out a stem and four stages, at output stride 8, 16 or 32."""

from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from torch import nn

from ...errors import ConfigError, did_you_mean
from .atrous import Step, atrous_steps
from .backbone import Backbone, start_cfg

_NUM_STAGES = 4


class StagedBackbone(Backbone):
    """A stem of stride 2 and four stages, each of which halves the size once more.

    Beyond ``output_stride`` a stage dilates in place of striding, see `atrous`: weights of the
    plain network give, at the pixels that it has too, what they give there.

    A subclass builds its modules from ``self.steps``, calls `declare` at the end of its
    constructor and writes `stages`.

    Args:
        in_channels: Channels of the image.
        output_stride: 32 (plain), 16 or 8 (dilated).
        out_indices: Stages whose output is handed out.
        out_stem: Hand out the stem (half the image's size) as first level, as a UNet needs.
        frozen_stages: Highest stage that does not train; 0 is the stem alone, -1 none.
        norm_cfg: Type of norm.
        norm_eval: Batch norms keep their running statistics in training.
        with_cp: Gradient checkpointing of every block: less memory, more time, same numbers.
        pretrained: Weights by name, file or URL; short for ``init_cfg=dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation; default Kaiming.

    Attributes:
        steps: Stride and dilations of the stem and of each stage.
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For stages that are not there, or another output stride.
    """

    # What a norm has other than by default, in the published networks.
    norm_options: dict = {}

    def __init__(self, in_channels: int = 3, output_stride: int = 32,
                 out_indices: Sequence[int] = (0, 1, 2, 3), out_stem: bool = False,
                 frozen_stages: int = -1, norm_cfg: dict | None = dict(type='BN'),
                 norm_eval: bool = False, with_cp: bool = False, pretrained: str | None = None,
                 init_cfg: dict | list | None = None) -> None:
        if not (out_stem or out_indices) or any(not 0 <= i < _NUM_STAGES for i in out_indices):
            raise ConfigError(f'{type(self).__name__} hands out stages it does not have, or none.',
                              got=tuple(out_indices), expected=f'0 to {_NUM_STAGES - 1}',
                              culprit='out_indices')
        if not -1 <= frozen_stages <= _NUM_STAGES:
            raise ConfigError(f'{type(self).__name__} freezes stages it does not have.',
                              got=frozen_stages, expected=f'-1 to {_NUM_STAGES}',
                              culprit='frozen_stages')
        super().__init__(start_cfg(pretrained, init_cfg), norm_eval)
        self.in_channels, self.output_stride = in_channels, output_stride
        self.out_indices, self.out_stem = tuple(out_indices), out_stem
        self.frozen_stages, self.with_cp = frozen_stages, with_cp
        self.norm_cfg = norm_cfg and {**self.norm_options, **norm_cfg}
        self.steps: list[Step] = atrous_steps((2,) * (_NUM_STAGES + 1), output_stride)

    def declare(self, widths: Sequence[int]) -> None:
        """Say what comes out, and freeze what is to be frozen.

        Args:
            widths: Channels of the stem and of each stage.
        """
        handed, stride = [], 1
        for i, (width, step) in enumerate(zip(widths, self.steps, strict=True), start=-1):
            stride *= step.stride
            if self._hands_out(i):
                handed.append((width, stride))
        self.out_channels, self.out_strides = map(tuple, zip(*handed, strict=True))
        self.keep_frozen()

    def norm(self, channels: int) -> nn.Module:
        """A norm of this many channels."""
        return build_norm_layer(self.norm_cfg, channels)[1]

    def _hands_out(self, i: int) -> bool:
        return self.out_stem if i < 0 else i in self.out_indices

    def stages(self) -> list[list[nn.Module]]:
        """What the stem and each stage apply, one after the other."""
        raise NotImplementedError

    def as_level(self, x: torch.Tensor) -> torch.Tensor:
        """What is handed out of a stage's output."""
        return x

    def frozen(self) -> list[nn.Module]:
        """The stem and the stages up to ``frozen_stages``."""
        return [module for stage in self.stages()[:self.frozen_stages + 1] for module in stage]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, in_channels, H, W) float, normalised -> levels.

        Each is (N, out_channels[i], ceil(H / s), ceil(W / s)); s is ``out_strides[i]``.
        """
        levels = []
        for i, stage in enumerate(self.stages(), start=-1):
            for module in stage:
                x = module(x)
            if self._hands_out(i):
                levels.append(self.as_level(x))
        return tuple(levels)


def known(owner: str, table: dict, name: str, key):
    """``table[key]``.

    Raises:
        ConfigError: The table has no such key; ``name`` is the argument's name.
    """
    if key not in table:
        raise ConfigError(f'{owner} has no such {name}.', got=key, expected=tuple(table),
                          culprit=name, fix=did_you_mean(str(key), map(str, table)))
    return table[key]
