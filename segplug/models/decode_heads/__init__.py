"""Decode heads: feature maps -> logits and losses."""

from .ann_head import ANNHead
from .apc_head import APCHead
from .aspp_head import ASPPHead
from .cascade_decode_head import BaseCascadeDecodeHead
from .cc_head import CCHead
from .da_head import DAHead
from .ddr_head import DDRHead
from .decode_head import BaseDecodeHead
from .dm_head import DMHead
from .dnl_head import DNLHead
from .ema_head import EMAHead
from .enc_head import EncHead
from .fcn_head import FCNHead
from .fpn_head import FPNHead
from .gc_head import GCHead
from .isa_head import ISAHead
from .lraspp_head import LRASPPHead
from .nl_head import NLHead
from .ocr_head import OCRHead
from .pid_head import PIDHead
from .point_head import PointHead
from .psa_head import PSAHead
from .psp_head import PSPHead
from .sep_aspp_head import DepthwiseSeparableASPPHead
from .sep_fcn_head import DepthwiseSeparableFCNHead
from .smp_head import SMPHead
from .stdc_head import STDCHead
from .unet_head import UNetHead
from .uper_head import UPerHead

__all__ = [
    'ANNHead', 'APCHead', 'ASPPHead', 'BaseCascadeDecodeHead', 'BaseDecodeHead', 'CCHead',
    'DAHead', 'DDRHead', 'DMHead', 'DNLHead', 'DepthwiseSeparableASPPHead',
    'DepthwiseSeparableFCNHead', 'EMAHead', 'EncHead', 'FCNHead', 'FPNHead', 'GCHead', 'ISAHead',
    'LRASPPHead', 'NLHead', 'OCRHead', 'PIDHead', 'PSAHead', 'PSPHead', 'PointHead', 'SMPHead',
    'STDCHead', 'UNetHead', 'UPerHead',
]
