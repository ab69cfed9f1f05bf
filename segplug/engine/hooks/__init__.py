"""Hooks that differ from mmengine's."""

from .checkpoint_hook import CheckpointHook
from .param_scheduler_hook import ParamSchedulerHook
from .val_loss_hook import ValLossHook
from .visualization_hook import SegVisualizationHook

__all__ = ['CheckpointHook', 'ParamSchedulerHook', 'SegVisualizationHook', 'ValLossHook']
