"""A loss that is no number ends the training, or its batch is left out; it never reaches a file.

mmengine trains on, and overwrites the last good checkpoint with weights that are all NaN.
"""

import functools
import math
from collections.abc import Mapping

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook, RuntimeInfoHook
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from ...errors import ConfigError, TrainingError
from ...registry import HOOKS
from .. import accumulation, distributed

COUNT = 'batches_left_out'  # in the message hub, and so in checkpoints
_SPOILED = 'step_is_left_out'
_SHOWN = 8


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Looks at each loss as the log has it, so that a GPU is not waited for once more.

    All ranks decide alike. Infinite gradients under loss scaling are normal and none of this
    hook's business; an infinite loss is. The Runner adds this hook;
    ``default_hooks=dict(finite_loss=None)`` leaves it out.

    Args:
        skip: How many batches of a run may be left out; 0 ends the training at the first. A
            batch that is left out moves neither weights nor the statistics of norms; each step
            then waits for its gradients, which costs a GPU some speed.
    """

    # After schedules and the log, before the hook that writes checkpoints (VERY_LOW, 90).
    priority = 80

    def __init__(self, skip: int = 0) -> None:
        if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
            raise ConfigError('FiniteLossHook: skip is the number of batches that may be left out.',
                              got=skip, expected='0 or more', culprit='skip')
        self.skip = skip
        self._before, self._buffers, self._step = [], [], None
        self._logged = False

    def before_train(self, runner) -> None:
        """Guard the optimizer's steps, where batches may be left out."""
        if runner.iter == 0:
            runner.message_hub.update_info(COUNT, 0)
            runner.message_hub.update_info(_SPOILED, False)
        self._logged = any(isinstance(hook, RuntimeInfoHook) for hook in runner.hooks)
        if self.skip:
            self._step = _GuardedStep(runner.optim_wrapper)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Keep what the forward pass itself changes."""
        if self.skip:
            self._buffers = [(b, b.clone()) for b in _unwrapped(runner).buffers()]

    def after_train_iter(self, runner, batch_idx: int, data_batch=None,
                         outputs: dict | None = None) -> None:
        """Go on, count, or stop."""
        hub = runner.message_hub
        wrong = _wrong_losses(outputs or {}, hub.log_scalars if self._logged else {})
        left_out = self._step is not None and self._step.take_left_out()
        files = names_of(data_batch)
        before, self._before = self._before, files
        any_wrong, left_out = distributed.agree(bool(wrong), left_out)
        # With accumulation a batch spoils the gradients of its step: left out as one.
        spoiled = hub.runtime_info.get(_SPOILED, False)
        hub.update_info(_SPOILED, (spoiled or bool(any_wrong)) and self._goes_on(runner))
        if not any_wrong and (spoiled or not left_out):
            return
        for buffer, kept in self._buffers:
            buffer.copy_(kept)
        count = hub.runtime_info.get(COUNT, 0) + 1
        hub.update_info(COUNT, count)
        what = _describe(runner.iter + 1, wrong, files, before)
        if count > self.skip:
            raise TrainingError(what, fix=self._advice())
        runner.logger.warning(f'{what} It was left out ({count} of at most {self.skip}).')

    def _goes_on(self, runner) -> bool:
        return self._step is not None and accumulation.pending(runner.optim_wrapper)

    def _advice(self) -> str:
        if self.skip:
            return ('no more than skip of FiniteLossHook may be left out; look at these files, '
                    'lower the learning rate or clip gradients, and go on with --resume')
        return ('look at these files, lower the learning rate or clip gradients, and go on with '
                '--resume; default_hooks.finite_loss.skip=N leaves out up to N such batches')

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuse weights that are no numbers; the file of before stays as it is."""
        parameters = dict(_unwrapped(runner).named_parameters())
        names = not_finite(checkpoint['state_dict'], parameters)
        if average := checkpoint.get('ema_state_dict'):  # they have changed places
            names += not_finite({name.removeprefix('module.'): tensor
                                 for name, tensor in average.items()}, parameters)
        if names := list(dict.fromkeys(names)):
            raise TrainingError(
                f'No checkpoint is written: {len(names)} of {len(checkpoint["state_dict"])} '
                'tensors hold values that are not finite.', got=_some(names),
                fix='go on from the last checkpoint with --resume and a lower learning rate, or '
                    'clip gradients')


class _GuardedStep:
    """Takes the place of an optimizer wrapper's ``step``, and leaves out what is not finite."""

    def __init__(self, optim_wrapper) -> None:
        if not hasattr(optim_wrapper, 'optimizer'):
            raise ConfigError('FiniteLossHook(skip=...) knows one optimizer, not several.',
                              got=type(optim_wrapper).__name__, culprit='skip')
        self._wrapper, self._loss, self._left_out = optim_wrapper, None, False
        self._scaled = getattr(optim_wrapper, 'loss_scaler', None)
        self._update, self._step = optim_wrapper.update_params, optim_wrapper.step
        optim_wrapper.update_params = self._note
        # With the marks by which schedules know that they count its calls.
        optim_wrapper.step = functools.update_wrapper(functools.partial(self._guard), self._step)

    def _note(self, loss: Tensor, *args, **kwargs) -> None:
        self._loss = loss.detach()
        self._update(loss, *args, **kwargs)

    def _guard(self, **kwargs) -> None:
        if self._scaled is not None and self._scaled.is_enabled():
            self._step(**kwargs)  # leaves out infinite gradients itself, and learns from them
            return
        tensors = [self._loss, *(p.grad for group in self._wrapper.param_groups
                                 for p in group['params'] if p.grad is not None)]
        self._left_out, = map(bool, distributed.agree(not all_finite(tensors)))
        if not self._left_out:
            self._step(**kwargs)
        elif hasattr(self._wrapper, '_global_step'):
            self._wrapper._global_step += 1  # schedules warn when they go before the first step

    def take_left_out(self) -> bool:
        """Whether the last step was left out, once."""
        left_out, self._left_out = self._left_out, False
        return left_out


def all_finite(tensors: list[Tensor]) -> bool:
    """Whether every value of every tensor is finite, with one answer from the device."""
    tensors = [t for t in tensors if t.is_floating_point() and t.numel()]
    if not tensors:
        return True
    largest = torch._foreach_norm(tensors, math.inf)
    return bool(torch.stack([t.float() for t in largest]).isfinite().all())


def not_finite(state: Mapping[str, Tensor], parameters: Mapping[str, nn.Parameter]) -> list[str]:
    """Names of parameters that are not finite and of buffers that hold NaN.

    A buffer may well hold infinity, as masks of attention do.
    """
    tensors = [t for t in state.values() if isinstance(t, Tensor)]
    if all_finite(tensors):
        return []
    return [name for name, tensor in state.items()
            if isinstance(tensor, Tensor) and not all_finite([tensor])
            and (name in parameters or bool(tensor.isnan().any()))]


def _wrong_losses(outputs: dict, scalars: dict) -> dict[str, float]:
    """The losses of this rank that are not finite, by name; the log may have them as numbers."""
    found = {}
    for name, value in outputs.items():
        if 'loss' in name:
            logged = scalars.get(f'train/{name}')
            value = float(torch.as_tensor(value).detach()) if logged is None else logged.current()
            if not math.isfinite(value):
                found[name] = value
    return found


def names_of(data_batch) -> list[str]:
    """The files of a batch, as far as its samples know."""
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    infos = [getattr(sample, 'metainfo', {}) for sample in samples or ()]
    return [str(info['img_path']) for info in infos if 'img_path' in info]


def _describe(iteration: int, wrong: dict, files: list[str], before: list[str]) -> str:
    """What was found on all ranks, in words that are the same on each."""
    parts = all_gather_object((wrong, files, before))
    guilty = [part for part in parts if part[0]] or parts
    losses = {name: value for part in parts for name, value in part[0].items()}
    what = ', '.join(f'{name} is {value}' for name, value in losses.items())
    text = f'Iteration {iteration}: {what or "the gradient is not finite"}.'
    for words, which in ((' The batch', 1), (' The batch before', 2)):
        named = [file for part in guilty for file in part[which]]
        if named:
            text += f'{words}: {_some(named)}.'
        if len(guilty) < len(parts):
            break  # others were fine before this batch, so the weights were too
    return text


def _some(names: list[str]) -> str:
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return ', '.join(names[:_SHOWN]) + more


def _unwrapped(runner):
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
