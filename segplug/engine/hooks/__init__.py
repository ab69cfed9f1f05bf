"""Hooks that differ from mmengine's."""

from .checkpoint_hook import CheckpointHook
from .early_stopping_hook import EarlyStoppingHook
from .finite_loss_hook import FiniteLossHook
from .heartbeat_hook import HeartbeatHook
from .logger_hook import LoggerHook
from .param_scheduler_hook import ParamSchedulerHook
from .skipped_samples_hook import SkippedSamplesHook
from .stop_hook import StopHook
from .tracking_hook import TrackingHook
from .val_loss_hook import ValLossHook
from .visualization_hook import SegVisualizationHook

__all__ = ['CheckpointHook', 'EarlyStoppingHook', 'FiniteLossHook', 'HeartbeatHook', 'LoggerHook',
           'ParamSchedulerHook', 'SegVisualizationHook', 'SkippedSamplesHook', 'StopHook',
           'TrackingHook', 'ValLossHook']
