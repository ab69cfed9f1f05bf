"""Training, validation and test loops: mmengine's, with our sampling, seeds and threads.

A training iteration's random draws (dropout, drop path) follow from (seed, iteration, rank),
so a run that is resumed anywhere draws what the uninterrupted one would have drawn.
"""

from collections.abc import Iterator

import torch
from mmengine.device import get_device
from mmengine.runner import BaseLoop
from mmengine.runner import EpochBasedTrainLoop as _EpochBasedTrainLoop
from mmengine.runner import IterBasedTrainLoop as _IterBasedTrainLoop
from mmengine.runner import TestLoop as _TestLoop
from mmengine.runner import ValLoop as _ValLoop
from mmengine.runner.utils import calc_dynamic_intervals

from ..errors import ConfigError
from ..registry import LOOPS
from .distributed import threads
from .sampling import is_infinite, mix, seed_generators, seek


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

    def run_epoch(self) -> None:
        """One epoch, or what is left of it after a resume."""
        done = self._iter - self._epoch * len(self.dataloader)
        if not 0 < done < len(self.dataloader):
            done = 0
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
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
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._decide_current_val_interval()
            if (self.runner.val_loop is not None and self._iter >= self.val_begin
                    and (self._iter % self.val_interval == 0
                         or self._iter == self._max_iters)):
                self.runner.val_loop.run()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        self.dataloader_iterator.close()
        return self.runner.model

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


@LOOPS.register_module()
class ValLoop(_ValLoop):
    """mmengine's validation with a fixed number of threads."""

    def run(self) -> dict:
        """Metrics of the validation set."""
        with threads(_test_threads(self.runner)):
            return super().run()


@LOOPS.register_module()
class TestLoop(_TestLoop):
    """mmengine's test with a fixed number of threads and without autograd's bookkeeping."""

    @torch.inference_mode()
    def run(self) -> dict:
        """Metrics of the test set."""
        with threads(_test_threads(self.runner)):
            return super().run()
