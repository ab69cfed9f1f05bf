"""The toy of `engine_toy` with a hook that makes trouble at a given point of a run.

As a script it is one rank of a job: ``trouble_toy.py WORK_DIR [key=value ...]``.
"""

import os
import signal
import sys
import time

import engine_toy
import torch
from mmengine.config import DictAction
from mmengine.dist import get_rank
from mmengine.hooks import Hook

import segplug.engine  # noqa: F401
from segplug.cli.main import guarded
from segplug.engine import whole_file
from segplug.engine.runner import Runner
from segplug.registry import HOOKS, MODELS


@MODELS.register_module()
class FragileNet(engine_toy.ToyNet):
    """A ToyNet whose loss is ``poison`` once `Trouble` says so."""

    poison = None

    def forward(self, inputs, data_samples=None, mode='tensor'):
        out = super().forward(inputs, data_samples, mode)
        if mode == 'loss' and self.poison is not None:
            out = {name: value * self.poison for name, value in out.items()}
        return out


@HOOKS.register_module()
class Trouble(Hook):
    """Does ``what`` on ``rank`` (all: None) when iteration ``at`` has run, or at another ``when``.

    Args:
        what: A signal's name, 'hang', 'freeze', 'nan_loss', 'inf_loss' (in iteration ``at``),
            'raise' or 'nan_weights'.
        when: 'start', 'before', 'iter', 'val' or 'write' (in the middle of a file).
        at: The iteration that has just run, or starts with 'before'.
        rank: Which does it.
        parent: Whether a signal goes to the process that started this one.
        once: A file that is made, and whose presence keeps from doing it again.
    """

    priority = 'NORMAL'

    def __init__(self, what: str, when: str = 'iter', at: int = 3, rank: int | None = 0,
                 parent: bool = False, once: str | None = None) -> None:
        self.what, self.when, self.at, self.rank = what, when, at, rank
        self.parent, self.once = parent, once

    def before_train(self, runner) -> None:
        if self.when == 'start':
            self._do(runner)

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if self.what.endswith('_loss'):
            model = getattr(runner.model, 'module', runner.model)
            hit = runner.iter + 1 == self.at and self.rank in (None, get_rank())
            model.poison = float(self.what[:3]) if hit else None
        elif self.when == 'before' and runner.iter + 1 == self.at:
            self._do(runner)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if runner.iter + 1 != self.at:
            return
        if self.when == 'write':
            fsync = os.fsync

            def interrupted(number: int) -> None:
                whole_file.os.fsync = fsync
                self._do(runner)
                fsync(number)
            whole_file.os.fsync = interrupted
        elif self.when == 'iter' and not self.what.endswith('_loss'):
            self._do(runner)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if self.when == 'val' and batch_idx == 0:
            self._do(runner)

    def _do(self, runner) -> None:
        if self.rank not in (None, get_rank()) or (self.once and os.path.exists(self.once)):
            return
        if self.once:
            open(self.once, 'w').close()
        if self.what == 'hang':
            time.sleep(600)
        elif self.what == 'freeze':
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self.what == 'raise':
            raise RuntimeError('an error of this rank')
        elif self.what == 'nan_weights':
            with torch.no_grad():
                next(runner.model.parameters()).fill_(float('nan'))
        else:
            os.kill(os.getppid() if self.parent else os.getpid(), getattr(signal, self.what))


def main(argv: list[str]) -> None:
    options = {k: DictAction._parse_iterable(v) for k, v in (a.split('=', 1) for a in argv[1:])}
    trouble = {k[8:]: options.pop(k) for k in list(options) if k.startswith('trouble.')}
    options['model'] = dict(type='FragileNet')
    if trouble:
        options['custom_hooks'] = [dict(type='Trouble', **trouble)]
    launcher = options.pop('launcher', 'pytorch')
    runner = Runner.from_cfg(engine_toy.toy_cfg(argv[0], launcher=launcher, **options))
    runner.train()


if __name__ == '__main__':
    sys.exit(guarded(lambda args, argv: main(sys.argv[1:]), None, []))
