"""Transforms of a pipeline: dict of arrays in, dict out.

Image (H, W, 3) uint8, BGR as read; labels (H, W) uint8. Random draws come from the global
``numpy.random`` generator, which the engine seeds per sample; no transform keeps a generator.
Names that are not here (Pad, Normalize, RandomChoice, ...) are mmcv's and resolve as well.
"""

from .blur import GaussianBlur
from .crop import RandomCrop
from .edge import GenerateEdge
from .flip import RandomFlip
from .formatting import PackSegInputs
from .loading import LoadAnnotations, LoadImageFromFile, LoadImageFromNDArray
from .photometric import PhotoMetricDistortion
from .resize import RandomResize, Resize
from .rotate import RandomRotate

__all__ = ['GaussianBlur', 'GenerateEdge', 'LoadAnnotations', 'LoadImageFromFile',
           'LoadImageFromNDArray', 'PackSegInputs', 'PhotoMetricDistortion', 'RandomCrop',
           'RandomFlip', 'RandomResize', 'RandomRotate', 'Resize']
