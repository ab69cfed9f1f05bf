"""Training, validation and test loops: mmengine's, with our sampling, seeds and threads.

A training iteration's random draws (dropout, drop path) follow from (seed, iteration, rank),
so a run that is resumed anywhere draws what the uninterrupted one would have drawn.
"""

from collections.abc import Iterator

import torch
from mmengine.device import get_device
from mmengine.runner import BaseLoop, autocast
from mmengine.runner import EpochBasedTrainLoop as _EpochBasedTrainLoop
from mmengine.runner import IterBasedTrainLoop as _IterBasedTrainLoop
from mmengine.runner import TestLoop as _TestLoop
from mmengine.runner import ValLoop as _ValLoop
from mmengine.runner.loops import _parse_losses, _update_losses
from mmengine.runner.utils import calc_dynamic_intervals

from ..errors import ConfigError
from ..ops import memory
from ..registry import LOOPS
from . import state
from .distributed import threads
from .progress import Progress
from .sampling import is_infinite, mix, seed_generators, seek
from .transfer import ahead, input_device


def seed_iteration(seed: int, iteration: int, rank: int) -> None:
    """Seed every generator a model may draw from, on every device."""
    seed_generators(seed, iteration, rank)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(mix(seed, iteration, rank) >> 1)


@LOOPS.register_module()
class EpochBasedTrainLoop(_EpochBasedTrainLoop):
    """mmengine's loop by epochs, which also resumes inside an epoch."""

    def __init__(self, runner, dataloader, max_epochs: int, val_begin: int = 1,
                 val_interval: int = 1,
                 dynamic_intervals: list[tuple[int, int]] | None = None) -> None:
        super().__init__(runner, dataloader, max_epochs, val_begin, val_interval,
                         dynamic_intervals)
        if is_infinite(self.dataloader):
            raise ConfigError('EpochBasedTrainLoop never reaches the end of an epoch with '
                              'InfiniteSampler.', culprit='InfiniteSampler',
                              fix='use DefaultSampler(shuffle=True), or IterBasedTrainLoop')

    def run(self) -> torch.nn.Module:
        """Train to ``max_epochs``."""
        self.runner.call_hook('before_train')
        if (state.validation_is_owed(self.runner)
                and self._iter == self._epoch * len(self.dataloader)):
            self._validate_if_due()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate_if_due()
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validate_if_due(self) -> None:
        self._decide_current_val_interval()
        if (self.runner.val_loop is not None and self._epoch >= self.val_begin
                and (self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs)):
            self.runner.val_loop.run()

    def run_epoch(self) -> None:
        """One epoch, or what is left of it after a resume: nothing, where it stopped before the
        hooks of the epoch's end."""
        done = self._iter - self._epoch * len(self.dataloader)
        if not 0 <= done <= len(self.dataloader):
            self.runner.logger.warning(
                f'Iteration {self._iter} does not lie in epoch {self._epoch + 1} of '
                f'{len(self.dataloader)} batches: the checkpoint is of other data, another batch '
                'size or number of processes. The epoch starts anew.')
            done = 0
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        if done < len(self.dataloader):  # a loader of no batch would still start its workers
            seek(self.dataloader, self._epoch, done)
            for idx, data_batch in enumerate(self.dataloader, start=done):
                self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def run_iter(self, idx: int, data_batch) -> None:
        """One training step with draws of its own."""
        seed_iteration(self.runner.seed, self._iter, self.runner.rank)
        super().run_iter(idx, data_batch)


@LOOPS.register_module()
class IterBasedTrainLoop(_IterBasedTrainLoop):
    """mmengine's loop by iterations; a resume goes to its place without reading what lies before.

    Args:
        runner: Whose model is trained.
        dataloader: Config or DataLoader.
        max_iters: Iterations in all.
        val_begin: First iteration after which validation may run.
        val_interval: Iterations between validations.
        dynamic_intervals: (milestone, interval) pairs that change ``val_interval``.
    """

    def __init__(self, runner, dataloader, max_iters: int, val_begin: int = 1,
                 val_interval: int = 1000,
                 dynamic_intervals: list[tuple[int, int]] | None = None) -> None:
        # mmengine's constructor starts the workers, before a resume has said where.
        BaseLoop.__init__(self, runner, dataloader)
        if isinstance(max_iters, str) or int(max_iters) != max_iters:
            raise ConfigError('max_iters is not a whole number.', got=max_iters,
                              culprit='max_iters')
        self._max_iters, self._max_epochs = int(max_iters), 1
        self._epoch = self._iter = 0
        self.val_begin, self.val_interval = val_begin, val_interval
        self.stop_training = False
        self.runner.visualizer.dataset_meta = getattr(self.dataloader.dataset, 'metainfo', None)
        self.dynamic_milestones, self.dynamic_intervals = calc_dynamic_intervals(
            val_interval, dynamic_intervals)

    def run(self) -> torch.nn.Module:
        """Train to ``max_iters``."""
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.dataloader_iterator = self._batches()
        if state.validation_is_owed(self.runner):
            self._validate_if_due()
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._validate_if_due()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        self.dataloader_iterator.close()
        return self.runner.model

    def _validate_if_due(self) -> None:
        self._decide_current_val_interval()
        if (self.runner.val_loop is not None and self._iter >= self.val_begin
                and (self._iter % self.val_interval == 0 or self._iter == self._max_iters)):
            self.runner.val_loop.run()

    def _batches(self) -> Iterator:
        """Batches from iteration ``self._iter`` on, epoch after epoch."""
        if is_infinite(self.dataloader):
            epoch, done = 0, self._iter
        else:
            epoch, done = divmod(self._iter, len(self.dataloader))
        while True:
            seek(self.dataloader, epoch, done)
            yield from self.dataloader
            epoch, done = epoch + 1, 0

    def run_iter(self, data_batch) -> None:
        """One training step with draws of its own."""
        seed_iteration(self.runner.seed, self._iter, self.runner.rank)
        super().run_iter(data_batch)


_said = set()


def _test_threads(runner) -> int:
    """``env_cfg.test_num_threads`` on a CPU; on a GPU whatever is set."""
    count = runner.test_num_threads
    if get_device() != 'cpu' or count == torch.get_num_threads():
        return torch.get_num_threads()
    if count not in _said:
        _said.add(count)
        runner.logger.info(
            f'Testing with {count} thread{"s" if count > 1 else ""} in each process, so that '
            'results do not depend on the number of processes (env_cfg.test_num_threads); '
            'use more processes to be faster.')
    return count


def _evaluate(loop, stage: str, losses: dict) -> dict:
    """Every batch of ``loop`` through `run_iter`, then the metrics; hooks in mmengine's order.

    Args:
        loop: A `ValLoop` or `TestLoop`.
        stage: 'val' or 'test', as the hooks' names have it.
        losses: What ``run_iter`` fills, where the model gives losses.
    """
    runner, loader = loop.runner, loop.dataloader
    runner.call_hook(f'before_{stage}')
    runner.call_hook(f'before_{stage}_epoch')
    runner.model.eval()
    losses.clear()
    size = len(loader.dataset)
    sampler = loader.sampler
    with memory.reused(), \
            Progress(stage, size, runner.logger, getattr(sampler, 'share', None),
                     getattr(sampler, 'costs', None)) as loop.progress:
        batches = ahead(loader, input_device(runner.model))
        for idx, (data_batch, on_device) in enumerate(batches):
            loop.on_device = data_batch, on_device
            loop.run_iter(idx, data_batch)
            loop.progress.reach(_num_images(loader, idx + 1))
        loop.on_device = None, None
        loop.progress.finish_share()
        metrics = loop.evaluator.evaluate(size)
    if losses:
        metrics.update(_parse_losses(losses, stage))
    runner.call_hook(f'after_{stage}_epoch', metrics=metrics)
    runner.call_hook(f'after_{stage}')
    return metrics


def _num_images(loader, num_batches: int) -> int:
    """Images in the first ``num_batches`` of this process."""
    own = len(loader.sampler)
    if loader.batch_size:
        return min(num_batches * loader.batch_size, own)
    return own * num_batches // len(loader)  # batches of another package's sampler may differ


def _step(loop, stage: str, idx: int, data_batch, losses: dict) -> None:
    """Predict and score one batch. The model gets the copy that is on its device already."""
    runner = loop.runner
    known, on_device = loop.on_device
    runner.call_hook(f'before_{stage}_iter', batch_idx=idx, data_batch=data_batch)
    with autocast(enabled=loop.fp16):
        outputs = getattr(runner.model, f'{stage}_step')(
            on_device if known is data_batch else data_batch)
    outputs, _ = _update_losses(outputs, losses)
    loop.evaluator.process(data_samples=outputs, data_batch=data_batch)
    runner.call_hook(f'after_{stage}_iter', batch_idx=idx, data_batch=data_batch,
                     outputs=outputs)


@LOOPS.register_module()
class ValLoop(_ValLoop):
    """mmengine's validation with a fixed number of threads, progress and early transfers."""

    progress: Progress | None = None
    on_device = None, None

    def run(self) -> dict:
        """Metrics of the validation set."""
        with threads(_test_threads(self.runner)):
            return _evaluate(self, 'val', self.val_loss)

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch) -> None:
        """Predict and score one batch."""
        _step(self, 'val', idx, data_batch, self.val_loss)


@LOOPS.register_module()
class TestLoop(_TestLoop):
    """mmengine's test with a fixed number of threads, progress and early transfers, and without
    autograd's bookkeeping."""

    progress: Progress | None = None
    on_device = None, None

    @torch.inference_mode()
    def run(self) -> dict:
        """Metrics of the test set."""
        with threads(_test_threads(self.runner)):
            return _evaluate(self, 'test', self.test_loss)

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch) -> None:
        """Predict and score one batch."""
        _step(self, 'test', idx, data_batch, self.test_loss)
