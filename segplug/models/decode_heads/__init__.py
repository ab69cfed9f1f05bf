"""Decode heads: feature maps -> logits and losses."""

from .apc_head import APCHead
from .aspp_head import ASPPHead
from .decode_head import BaseDecodeHead
from .dm_head import DMHead
from .fcn_head import FCNHead
from .isa_head import ISAHead
from .psp_head import PSPHead
from .sep_aspp_head import DepthwiseSeparableASPPHead
from .unet_head import UNetHead
from .uper_head import UPerHead

__all__ = ['APCHead', 'ASPPHead', 'BaseDecodeHead', 'DMHead', 'DepthwiseSeparableASPPHead',
           'FCNHead', 'ISAHead', 'PSPHead', 'UNetHead', 'UPerHead']
