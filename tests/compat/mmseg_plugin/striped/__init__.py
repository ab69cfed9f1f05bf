"""A package for mmsegmentation 1.x: it knows nothing of segplug."""

from .data import DimTransform, StripesDataset
from .heads import EdgeHead, FocusHead, RefineHead, SharpLoss
from .running import CountingHook, StripesMetric
from .segmentor import MirroredSegmentor

__all__ = ['CountingHook', 'DimTransform', 'EdgeHead', 'FocusHead', 'MirroredSegmentor',
           'RefineHead', 'SharpLoss', 'StripesDataset', 'StripesMetric']
