"""Drawing of labels and predictions; importing this fills the VISUALIZERS registry."""

from .visualizer import SegLocalVisualizer

__all__ = ['SegLocalVisualizer']
