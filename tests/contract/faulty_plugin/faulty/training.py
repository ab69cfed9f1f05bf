"""Parts of a training with a fault each."""

import torch
from mmengine.dataset import DefaultSampler
from mmengine.hooks import Hook
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.visualization import LocalVisBackend, Visualizer

from segplug.registry import (
    DATA_SAMPLERS,
    HOOKS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    VISBACKENDS,
    VISUALIZERS,
)


@HOOKS.register_module()
class RaisingHook(Hook):
    """Expects what a run has not."""

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        outputs[0].pred_instances  # noqa: B018


@OPTIMIZERS.register_module()
class Climber(torch.optim.SGD):
    """Goes up."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, lr=lr, maximize=True)


@OPTIMIZERS.register_module()
class Forgetful(torch.optim.SGD):
    """Slows down by a count that its state_dict lacks."""

    count = 0

    def __init__(self, params, lr=0.1):
        super().__init__(params, lr=lr)

    def step(self, closure=None):
        self.count += 1
        with torch.no_grad():
            for p in self.param_groups[0]['params']:
                p -= 0.1 / self.count * p.grad


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class HalfConstructor(DefaultOptimWrapperConstructor):
    """Leaves out what comes second."""

    def __call__(self, model):
        wrapper = super().__call__(model)
        del wrapper.param_groups[0]['params'][1:]
        return wrapper


@PARAM_SCHEDULERS.register_module()
class EndlessLR(LRSchedulerMixin, _ParamScheduler):
    """Divides by what is left."""

    def __init__(self, optimizer, **kwargs):
        super().__init__(optimizer, **kwargs)

    def _get_value(self):
        left = float(5 - self.last_step)
        return [1 / left if left else float('inf') for _ in self.optimizer.param_groups]


@DATA_SAMPLERS.register_module()
class DiceSampler(DefaultSampler):
    """Draws from no generator of its own."""

    def __iter__(self):
        return iter(torch.randperm(len(self.dataset)).tolist())


@DATA_SAMPLERS.register_module()
class WholeSampler(DefaultSampler):
    """Leaves the first sample to the first process, and the rest to nobody."""

    def __iter__(self):
        return iter(range(len(self.dataset)) if self.world_size == 1 else [self.rank])


@VISUALIZERS.register_module()
class LazyVisualizer(Visualizer):
    """Writes nothing."""

    def add_datasample(self, *args, **kwargs):
        return None


@VISBACKENDS.register_module()
class DeafBackend(LocalVisBackend):
    """Takes no tensors."""

    def add_scalar(self, name, value, step=0, **kwargs):
        if not isinstance(value, float):
            raise TypeError('a float is wanted')
