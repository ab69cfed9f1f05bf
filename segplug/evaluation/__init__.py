"""Metrics over the confusion matrix; importing this fills the METRICS registry."""

from .boundary_metric import BoundaryIoUMetric
from .iou_metric import IoUMetric

__all__ = ['BoundaryIoUMetric', 'IoUMetric']
