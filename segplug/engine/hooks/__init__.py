"""Hooks that differ from mmengine's."""

from .checkpoint_hook import CheckpointHook
from .param_scheduler_hook import ParamSchedulerHook

__all__ = ['CheckpointHook', 'ParamSchedulerHook']
