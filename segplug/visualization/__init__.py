"""Drawing of labels and predictions, and where pictures and curves go; importing this fills the
VISUALIZERS and VISBACKENDS registries."""

from .backends import MLflowVisBackend, TensorboardVisBackend, WandbVisBackend
from .visualizer import SegLocalVisualizer

__all__ = ['MLflowVisBackend', 'SegLocalVisualizer', 'TensorboardVisBackend', 'WandbVisBackend']
