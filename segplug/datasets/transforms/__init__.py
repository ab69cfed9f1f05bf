"""Transforms of a pipeline: dict of arrays in, dict out.

Image (H, W, 3) uint8, BGR as read; labels (H, W) uint8. Random draws come from the global
``numpy.random`` generator, which the engine seeds per sample; no transform keeps a generator.
Names that are not here (Normalize, RandomChoice, RandomApply, ...) are mmcv's and resolve as well.
"""

from .albu import Albu
from .blur import GaussianBlur
from .crop import RandomCrop
from .cutout import RandomCutOut
from .depth import RandomDepthMix
from .edge import GenerateEdge
from .flip import RandomFlip
from .formatting import PackSegInputs
from .loading import InferencerLoader, LoadAnnotations, LoadImageFromFile, LoadImageFromNDArray
from .loading_biomedical import (
    LoadBiomedicalAnnotation,
    LoadBiomedicalData,
    LoadBiomedicalImageFromFile,
)
from .loading_depth import LoadDepthAnnotation
from .loading_remote import (
    ConcatCDInput,
    LoadMultipleRSImageFromFile,
    LoadSingleRSImageFromFile,
)
from .mix import ClassMix, CutMix
from .mosaic import RandomMosaic
from .pad import CenterCrop, Pad
from .photometric import PhotoMetricDistortion
from .resize import RandomResize, Resize
from .resize_family import RandomChoiceResize, ResizeShortestEdge, ResizeToMultiple, SegRescale
from .rotate import RandomRotate, RandomRotFlip
from .tone import CLAHE, AdjustGamma, Rerange, RGB2Gray
from .volume import BioMedical3DPad, BioMedical3DRandomCrop, BioMedical3DRandomFlip
from .volume_tone import BioMedicalGaussianBlur, BioMedicalGaussianNoise, BioMedicalRandomGamma

__all__ = ['AdjustGamma', 'Albu', 'BioMedical3DPad', 'BioMedical3DRandomCrop',
           'BioMedical3DRandomFlip', 'BioMedicalGaussianBlur', 'BioMedicalGaussianNoise',
           'BioMedicalRandomGamma', 'CLAHE', 'CenterCrop', 'ClassMix', 'ConcatCDInput', 'CutMix',
           'GaussianBlur', 'GenerateEdge', 'InferencerLoader', 'LoadAnnotations',
           'LoadBiomedicalAnnotation', 'LoadBiomedicalData', 'LoadBiomedicalImageFromFile',
           'LoadDepthAnnotation', 'LoadImageFromFile', 'LoadImageFromNDArray',
           'LoadMultipleRSImageFromFile', 'LoadSingleRSImageFromFile', 'PackSegInputs', 'Pad',
           'PhotoMetricDistortion', 'RGB2Gray', 'RandomChoiceResize', 'RandomCrop', 'RandomCutOut',
           'RandomDepthMix', 'RandomFlip', 'RandomMosaic', 'RandomResize', 'RandomRotFlip',
           'RandomRotate', 'Rerange', 'Resize', 'ResizeShortestEdge', 'ResizeToMultiple',
           'SegRescale']
