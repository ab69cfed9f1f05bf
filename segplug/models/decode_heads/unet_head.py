"""The decoder of a UNet over any encoder that hands out its stem (``out_stem=True``).

Ronneberger et al., https://arxiv.org/abs/1505.04597; widths and nearest-neighbour
upsampling as in the recipe of ``configs/unet``. In a dilated encoder neighbouring levels may
have the same size, so a block goes to the size of the next level, not to twice its own.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import extends
from .decode_head import BaseDecodeHead


@MODELS.register_module()
class UNetHead(BaseDecodeHead):
    """One block per level, from the deepest up; the last works at the size of the image.

    A block brings what it has to the size of the next finer level, joins both and applies
    two 3x3 convolutions. The last block has no level to join.

    Args:
        in_channels: Channels of the levels, finest first; the finest has half the image's size.
        decoder_channels: Width of the blocks, coarsest first; as many as there are levels.
        in_index: The levels, finest first; default all.
        Others as for `BaseDecodeHead`; ``channels`` is the width of the last block.
    """

    @extends(BaseDecodeHead, without=('channels', 'input_transform'))
    def __init__(self, in_channels: Sequence[int],
                 decoder_channels: Sequence[int] = (256, 128, 64, 32, 16),
                 in_index: Sequence[int] | None = None, **options) -> None:
        if len(decoder_channels) != len(in_channels):
            raise ConfigError('A UNetHead has one block per level.',
                              got=f'{len(in_channels)} in_channels and '
                                  f'{len(decoder_channels)} decoder_channels',
                              expected='as many of one as of the other',
                              culprit='decoder_channels')
        super().__init__(
            in_channels, decoder_channels[-1], input_transform='multiple_select',
            in_index=tuple(range(len(in_channels))) if in_index is None else in_index, **options)
        deepest, *skips = reversed(in_channels)
        widths = [deepest, *decoder_channels[:-1]]
        self.blocks = nn.ModuleList(
            self._block(width + skip, out)
            for width, skip, out in zip(widths, [*skips, 0], decoder_channels, strict=True))

    def _block(self, in_channels: int, channels: int) -> nn.Sequential:
        return nn.Sequential(*(
            ConvModule(width, channels, 3, padding=1, conv_cfg=self.conv_cfg,
                       norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
            for width in (in_channels, channels)))

    def forward(self, inputs: Sequence[torch.Tensor],
                size: tuple[int, int] | None = None) -> torch.Tensor:
        """Levels -> logits (N, K, H, W).

        Args:
            inputs: Levels, finest first, each (N, C, h, w).
            size: (H, W) of the image. Without it, twice the finest level, which is one pixel
                more than the image where the image's size is odd.
        """
        x, *skips = reversed(self._transform_inputs(inputs))
        for block, skip in zip(self.blocks, skips, strict=False):
            x = block(torch.cat([resize(x, size=skip.shape[2:]), skip], dim=1))
        if size is None:
            size = (2 * x.shape[2], 2 * x.shape[3])
        return self.cls_seg(self.blocks[-1](resize(x, size=size)))

    def logits_at(self, inputs: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Levels -> logits (N, K, H, W) at ``size``."""
        return self.forward(inputs, size)
