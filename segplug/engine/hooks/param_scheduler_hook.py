"""Schedulers that step while gradients are still being accumulated."""

import warnings

from mmengine.hooks import ParamSchedulerHook as _UpstreamParamSchedulerHook

from ...registry import HOOKS


@HOOKS.register_module()
class ParamSchedulerHook(_UpstreamParamSchedulerHook):
    """mmengine's hook, without its warning.

    Schedules count iterations, so with gradient accumulation (or a step that loss scaling left
    out) a scheduler rightly steps before the optimizer's first step.
    """

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Step the schedulers that count iterations."""
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', 'Detected call of `scheduler.step')
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
