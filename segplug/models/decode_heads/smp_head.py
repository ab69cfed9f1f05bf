"""Decoders of segmentation_models.pytorch as decode heads, over any backbone of segplug.

https://github.com/qubvel-org/segmentation_models.pytorch; optional: ``pip install "segplug[smp]"``.
"""

import copy
import inspect
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from ...errors import ConfigError, ShapeError, did_you_mean
from ...registry import MODELS
from ..layers import extends
from ..layers.extras import import_extra
from .decode_head import BaseDecodeHead


class _Decoder(NamedTuple):
    """Module and class in smp, what its model gives the class by default, and what it doubles.

    ``doubles``: The levels of which it grows each by 2 to join the next finer one, whose size must
    be exactly double; None if it looks at the sizes.
    """

    module: str
    name: str
    defaults: dict = {}
    doubles: slice | None = None


_WIDTHS = (256, 128, 64, 32, 16)
DECODERS = {
    'Unet': _Decoder('unet', 'UnetDecoder', dict(decoder_channels=_WIDTHS)),
    'UnetPlusPlus': _Decoder('unetplusplus', 'UnetPlusPlusDecoder',
                             dict(decoder_channels=_WIDTHS), slice(None)),
    'MAnet': _Decoder('manet', 'MAnetDecoder', dict(decoder_channels=_WIDTHS), slice(None)),
    'Linknet': _Decoder('linknet', 'LinknetDecoder', doubles=slice(None)),
    'FPN': _Decoder('fpn', 'FPNDecoder', doubles=slice(-4, None)),
    'PSPNet': _Decoder('pspnet', 'PSPDecoder'),
    'PAN': _Decoder('pan', 'PANDecoder', dict(decoder_channels=32)),
    'DeepLabV3': _Decoder('deeplabv3', 'DeepLabV3Decoder', dict(
        out_channels=256, atrous_rates=(12, 24, 36), aspp_separable=False, aspp_dropout=0.5)),
    'DeepLabV3Plus': _Decoder('deeplabv3', 'DeepLabV3PlusDecoder', dict(
        out_channels=256, atrous_rates=(12, 24, 36), aspp_separable=True, aspp_dropout=0.5,
        output_stride=16)),
    'UPerNet': _Decoder('upernet', 'UPerNetDecoder'),
    'Segformer': _Decoder('segformer', 'SegformerDecoder'),
}
_PROBE = 256  # pixels; for the channels that a decoder gives
_PAN_LEAST = 8  # its deepest level is halved three times


@MODELS.register_module()
class SMPHead(BaseDecodeHead):
    """A decoder of segmentation_models.pytorch, then dropout and a 1x1 classifier.

    Args:
        in_channels: Channels of the levels, finest first, as a backbone declares them; of five
            levels the finest has half the image's size (``out_stem=True``).
        decoder: A name of smp's models: 'Unet', 'UnetPlusPlus', 'MAnet', 'Linknet', 'FPN',
            'PSPNet', 'PAN', 'DeepLabV3', 'DeepLabV3Plus', 'UPerNet' or 'Segformer'.
        decoder_args: Arguments of smp's decoder class, beyond those that follow from the levels;
            by default what smp's model gives it.
        in_index: The levels, finest first; default all.
        norm_cfg: ``dict(type='SyncBN')`` turns smp's batch norms into synchronised ones, 'BN' and
            None leave them; another norm is smp's affair, ``decoder_args=dict(use_norm=...)``.
        Others as for `BaseDecodeHead`; ``channels`` is what the decoder gives.

    Raises:
        ConfigError: smp is absent, or has no such decoder or argument.
    """

    @extends(BaseDecodeHead, without=('channels', 'input_transform', 'conv_cfg', 'act_cfg'))
    def __init__(self, in_channels: Sequence[int], decoder: str = 'Unet',
                 decoder_args: dict | None = None, in_index: Sequence[int] | None = None,
                 norm_cfg: dict | None = None, **options) -> None:
        if decoder not in DECODERS:
            raise ConfigError('There is no such decoder.', got=repr(decoder), culprit='decoder',
                              expected=', '.join(DECODERS), fix=did_you_mean(decoder, DECODERS))
        net = build_decoder(decoder, in_channels, decoder_args or {})
        deepest = (decoder_args or {}).get(
            'output_stride', DECODERS[decoder].defaults.get('output_stride', 2**len(in_channels)))
        super().__init__(
            in_channels, channels_of(net, in_channels, deepest), input_transform='multiple_select',
            in_index=tuple(range(len(in_channels))) if in_index is None else in_index, **options)
        self.decoder_name, self.decoder = decoder, _with_norm(net, norm_cfg)
        self.norm_cfg = norm_cfg

    def forward(self, inputs: Sequence[torch.Tensor],
                size: tuple[int, int] | None = None) -> torch.Tensor:
        """Levels -> logits (N, K, h, w), at the size that the decoder gives.

        Args:
            inputs: Levels, finest first, each (N, C, h, w).
            size: (H, W) of the image; without it, twice the finest level.

        Raises:
            ShapeError: For sizes that this decoder cannot join.
        """
        levels = self._transform_inputs(inputs)
        size = size or tuple(2 * side for side in levels[0].shape[2:])
        self._check_sizes([tuple(level.shape[2:]) for level in levels])
        # smp's first level is the image, of which decoders read the size alone.
        image = levels[0].new_empty(levels[0].shape[0], 0, *size)
        return self.cls_seg(self.decoder([image, *levels]))

    def logits_at(self, inputs: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Levels -> logits for an image of ``size``."""
        return self.forward(inputs, size)

    def _check_sizes(self, sizes: list[tuple[int, int]]) -> None:
        """Refuse levels of (h, w), finest first, that the decoder would fail to join."""
        if self.decoder_name == 'PAN' and min(sizes[-1]) < _PAN_LEAST:
            raise ShapeError('PAN of smp halves its deepest level three times.', got=sizes[-1],
                             expected=f'{_PAN_LEAST} pixels and more', fix='larger images')
        doubles, factor = DECODERS[self.decoder_name].doubles, 2
        if self.decoder_name == 'DeepLabV3Plus':  # joins the deepest with that of stride 4
            factor, pairs = int(self.decoder.up.scale_factor), [(sizes[1], sizes[-1])]
        elif doubles is None:
            return
        else:
            pairs = zip(sizes[doubles], sizes[doubles][1:], strict=False)
        if all(fine == (factor * coarse[0], factor * coarse[1]) for fine, coarse in pairs):
            return
        raise ShapeError(
            f'{self.decoder_name} of smp grows a level by {factor} and joins another.',
            got=f'levels of {", ".join(map(str, sizes))}', fix="give the network images whose "
            'sides its stride divides (crop_size, size_divisor) and the output stride that '
            "smp's model has, or take decoder='Unet', which looks at the sizes")


def build_decoder(name: str, in_channels: Sequence[int], given: dict) -> nn.Module:
    """smp's decoder ``name`` for levels of these channels, finest first."""
    kind = DECODERS[name]
    module = import_extra(f'segmentation_models_pytorch.decoders.{kind.module}.decoder', 'smp',
                          'SMPHead')
    cls = getattr(module, kind.name)
    depth = len(in_channels)
    derived = dict(encoder_channels=[3, *in_channels], n_blocks=depth, encoder_depth=depth,
                   in_channels=in_channels[-1])
    takes = inspect.signature(cls).parameters
    derived = {key: value for key, value in derived.items() if key in takes}
    for key in given:
        if key not in takes or key in derived:
            free = [each for each in takes if each not in derived]
            raise ConfigError(f"smp's decoder {name} takes no such argument.", got=repr(key),
                              expected=', '.join(free), fix=did_you_mean(key, free), culprit=key)
    defaults = dict(kind.defaults)
    if isinstance(defaults.get('decoder_channels'), tuple):
        defaults['decoder_channels'] = _WIDTHS[:depth]
    try:
        return cls(**{**defaults, **given, **derived})
    except (ValueError, IndexError, KeyError) as error:
        raise ConfigError(f"smp's decoder {name} cannot be made for these levels.",
                          got=f'in_channels={tuple(in_channels)}, {given}: {error}',
                          culprit='decoder') from error


def _with_norm(decoder: nn.Module, norm_cfg: dict | None) -> nn.Module:
    """The decoder, its batch norms synchronised if ``norm_cfg`` says so."""
    kind = (norm_cfg or {}).get('type', 'BN')
    if kind not in ('BN', 'SyncBN') or set(norm_cfg or {}) - {'type', 'requires_grad'}:
        raise ConfigError("smp's decoders have norms of their own.", got=norm_cfg,
                          expected="None, dict(type='BN') or dict(type='SyncBN')",
                          culprit='norm_cfg', fix='decoder_args=dict(use_norm=...), as smp has it')
    return nn.SyncBatchNorm.convert_sync_batchnorm(decoder) if kind == 'SyncBN' else decoder


@torch.no_grad()
def channels_of(decoder: nn.Module, in_channels: Sequence[int], output_stride: int) -> int:
    """Channels that a decoder gives, found without computing anything.

    Args:
        decoder: Of smp.
        in_channels: Of its levels, finest first.
        output_stride: The stride of the deepest.
    """
    probe = copy.deepcopy(decoder).to('meta').eval()
    sides = [_PROBE // min(2**i, output_stride) for i in range(len(in_channels) + 1)]
    levels = [torch.empty(1, channels, side, side, device='meta')
              for channels, side in zip([0, *in_channels], sides, strict=True)]
    return probe(levels).shape[1]
