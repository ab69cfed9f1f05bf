"""Metrics over the confusion matrix; importing this fills the METRICS registry."""

from .iou_metric import IoUMetric

__all__ = ['IoUMetric']
