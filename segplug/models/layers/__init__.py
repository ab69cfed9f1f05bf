"""Parts that backbones, necks and heads share."""

from ...signature import extends
from .attention import SelfAttentionBlock, attend, full_precision
from .backbone import KAIMING, Backbone, start_cfg
from .branch import BranchBlock, branch_stage, branch_stem, pre_activated
from .checkpointing import run_block
from .checks import check_several, refuse_set
from .dappm import DAPPM, PAPPM
from .encoding import Encoding
from .freezing import freeze, norms_to_eval
from .joined_conv import JoinedConv
from .points import point_sample
from .ppm import PPM
from .residual import BasicBlock, Bottleneck, NumberedNorms, ResLayer

__all__ = [
    'DAPPM', 'KAIMING', 'PAPPM', 'PPM', 'Backbone', 'BasicBlock', 'Bottleneck', 'BranchBlock',
    'Encoding', 'JoinedConv', 'NumberedNorms', 'ResLayer', 'SelfAttentionBlock', 'attend',
    'branch_stage', 'branch_stem', 'check_several', 'extends', 'freeze', 'full_precision',
    'norms_to_eval', 'point_sample', 'pre_activated', 'refuse_set', 'run_block', 'start_cfg',
]
