"""Losses. A loss is called with logits, labels, ``weight`` and ``ignore_index``."""

from .accuracy import accuracy, percentage
from .boundary_loss import BoundaryLoss
from .cross_entropy_loss import CrossEntropyLoss, binary_cross_entropy, cross_entropy
from .dice_loss import DiceLoss
from .focal_loss import FocalLoss
from .huasdorff_distance_loss import HuasdorffDisstanceLoss
from .kldiv_loss import KLDivLoss
from .lovasz_loss import LovaszLoss
from .ohem_cross_entropy_loss import OhemCrossEntropy
from .ohem_pixel_sampler import OHEMPixelSampler
from .tversky_loss import TverskyLoss
from .utils import get_class_weight, reduce_loss, weight_reduce_loss, weighted_loss

__all__ = ['BoundaryLoss', 'CrossEntropyLoss', 'DiceLoss', 'FocalLoss', 'HuasdorffDisstanceLoss',
           'KLDivLoss', 'LovaszLoss', 'OHEMPixelSampler', 'OhemCrossEntropy', 'TverskyLoss',
           'accuracy', 'binary_cross_entropy', 'cross_entropy', 'get_class_weight',
           'percentage', 'reduce_loss', 'weight_reduce_loss', 'weighted_loss']
