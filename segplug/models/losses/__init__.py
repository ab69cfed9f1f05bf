"""Losses. A loss is called with logits, labels, ``weight`` and ``ignore_index``."""

from .accuracy import accuracy
from .cross_entropy_loss import CrossEntropyLoss, binary_cross_entropy, cross_entropy
from .utils import get_class_weight, weight_reduce_loss

__all__ = ['CrossEntropyLoss', 'accuracy', 'binary_cross_entropy', 'cross_entropy',
           'get_class_weight', 'weight_reduce_loss']
