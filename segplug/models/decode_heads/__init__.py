"""Decode heads: feature maps -> logits and losses."""

from .decode_head import BaseDecodeHead
from .fcn_head import FCNHead
from .psp_head import PSPHead
from .unet_head import UNetHead

__all__ = ['BaseDecodeHead', 'FCNHead', 'PSPHead', 'UNetHead']
