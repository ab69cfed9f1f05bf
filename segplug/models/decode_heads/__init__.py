"""Decode heads: feature maps -> logits and losses."""

from .apc_head import APCHead
from .aspp_head import ASPPHead
from .cc_head import CCHead
from .da_head import DAHead
from .decode_head import BaseDecodeHead
from .dm_head import DMHead
from .dnl_head import DNLHead
from .ema_head import EMAHead
from .enc_head import EncHead
from .fcn_head import FCNHead
from .gc_head import GCHead
from .isa_head import ISAHead
from .lraspp_head import LRASPPHead
from .nl_head import NLHead
from .psp_head import PSPHead
from .sep_aspp_head import DepthwiseSeparableASPPHead
from .unet_head import UNetHead
from .uper_head import UPerHead

__all__ = [
    'APCHead', 'ASPPHead', 'BaseDecodeHead', 'CCHead', 'DAHead', 'DMHead', 'DNLHead',
    'DepthwiseSeparableASPPHead', 'EMAHead', 'EncHead', 'FCNHead', 'GCHead', 'ISAHead',
    'LRASPPHead', 'NLHead', 'PSPHead', 'UNetHead', 'UPerHead',
]
