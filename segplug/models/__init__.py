"""Everything that the registry ``MODELS`` builds. Importing this fills it."""

from . import backbones, decode_heads, losses, necks, segmentors
from .preprocessor import SegDataPreProcessor

__all__ = ['SegDataPreProcessor', 'backbones', 'decode_heads', 'losses', 'necks', 'segmentors']
