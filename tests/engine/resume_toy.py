"""A network of two layers with everything whose state or draws a resume must carry.

A `Case` is one cell of the matrix: `pair` trains it whole and from one of its checkpoints, and
says what each run did. As a script it is one rank of a job: ``resume_toy.py FOLDER CELLS_JSON``.
"""

import contextlib
import hashlib
import json
import random
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import barrier, get_rank
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

import segplug.engine  # noqa: F401
from segplug.engine.amp import AmpOptimWrapper
from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.runner import Runner
from segplug.registry import (
    DATASETS,
    HOOKS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
)

PER_EPOCH, NUM_ITERS = 3, 9  # 10 samples in batches of 4; three epochs
CUTS = dict(inside=4, middle=5, end=6)  # of an epoch; with two batches a step, of that step


@dataclass(frozen=True)
class Case:
    """One cell of the matrix; the features are off or on."""

    by_epoch: bool = False
    workers: int = 0
    cut: str = 'inside'
    nproc: int = 1
    dropout: bool = False
    drop_path: bool = False
    augment: bool = False
    ema: bool = False
    scaler: bool = False
    accumulate: bool = False

    def __str__(self) -> str:
        on = [k for k, v in asdict(self).items() if v is True]
        return '-'.join([f'{self.nproc}p', f'{self.workers}w', self.cut, *on])


FEATURES = ('dropout', 'drop_path', 'augment', 'ema', 'scaler', 'accumulate')


@DATASETS.register_module()
class DrawnData(torch.utils.data.Dataset):
    """Ten points; augmented, each generator that a transform may use adds its noise."""

    metainfo = dict(classes=('a', 'b'), palette=[[0, 0, 0], [255, 255, 255]])

    def __init__(self, augment: bool, length: int = 10) -> None:
        self.augment, self.length = augment, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        x = torch.linspace(index, index + 1, 48).view(3, 4, 4).sin()
        if self.augment:
            x = x + random.random() + np.random.rand() + 0.1 * torch.rand(3, 4, 4)
        return dict(inputs=x, data_samples=torch.tensor([float(index), float(index % 3)]))


@MODELS.register_module()
class DropNet(BaseModel):
    """Two convolutions with a norm, dropout and stochastic depth between them."""

    def __init__(self, dropout: bool, drop_path: bool) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.SyncBatchNorm(6)
        self.dropout = nn.Dropout(0.3 if dropout else 0.0)
        self.drop_path = 0.4 if drop_path else 0.0
        self.decode_head = nn.Conv2d(6, 1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        x = self.norm(self.backbone(torch.stack(list(inputs))))
        if self.drop_path and self.training:
            x = x * (torch.rand(len(x), 1, 1, 1) > self.drop_path)
        x = self.decode_head(self.dropout(x.relu())).mean((1, 2, 3))
        if mode != 'loss':
            return list(x)
        y = torch.stack(list(data_samples))[:, 1]
        return dict(loss_toy=(x - y).square().mean())


@MODELS.register_module()
class TwoStepNet(DropNet):
    """A DropNet of two optimizers, each of which gets a loss of its own in each iteration."""

    def train_step(self, data, optim_wrapper):
        data, logs = self.data_preprocessor(data, True), {}
        for name, wrapper in optim_wrapper.items():
            loss, parts = self.parse_losses(self._run_forward(data, mode='loss'))
            wrapper.update_params(loss)
            logs.update({f'{name}.{key}': value for key, value in parts.items()})
        return logs


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TwoOptimizers:
    """AdamW for the backbone and SGD for the head."""

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        self.counts = optim_wrapper_cfg['accumulative_counts']

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        optimizers = dict(first=torch.optim.AdamW(model.backbone.parameters(), lr=0.01),
                          second=torch.optim.SGD(model.decode_head.parameters(), lr=0.01))
        return OptimWrapperDict(**{
            name: OptimWrapper(one, accumulative_counts=self.counts)
            for name, one in optimizers.items()})


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(AmpOptimWrapper):
    """Loss scaling on a CPU, where ours has none; its scale grows every second step."""

    def __init__(self, **arguments) -> None:
        super().__init__(**arguments)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=4.0, growth_interval=2)


@HOOKS.register_module()
class Witness(Hook):
    """Where a run began, and which samples each of its iterations saw."""

    def __init__(self) -> None:
        self.began, self.iterations = None, []

    def before_train(self, runner) -> None:
        self.began = (runner.epoch, runner.iter)

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        samples = [int(sample[0]) for sample in data_batch['data_samples']]
        self.iterations.append((runner.iter, samples))


@HOOKS.register_module()
class Stopper(Hook):
    """Ends a run after ``count`` iterations."""

    def __init__(self, count: int) -> None:
        self.count = count

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        self.count -= 1
        if self.count == 0:
            raise Stopped


class Stopped(Exception):
    """Said by `Stopper`."""


def case_cfg(case: Case, work_dir, **options) -> Config:
    """Nine iterations, checkpoints after each and of each epoch."""
    loop = (dict(type='EpochBasedTrainLoop', max_epochs=3) if case.by_epoch else
            dict(type='IterBasedTrainLoop', max_iters=NUM_ITERS))
    sampler = 'DefaultSampler' if case.by_epoch or case.workers == 2 else 'InfiniteSampler'
    hooks = [dict(type='Witness')]
    if case.ema:
        hooks.append(dict(type='EMAHook', momentum=0.1))
    cfg = Config(dict(
        model=dict(type='DropNet', dropout=case.dropout, drop_path=case.drop_path),
        work_dir=str(work_dir), default_scope='segplug', train_cfg=loop,
        train_dataloader=dict(
            batch_size=4 // case.nproc, num_workers=case.workers,
            persistent_workers=case.workers == 2, disable_subprocess_warning=True,
            dataset=dict(type='DrawnData', augment=case.augment),
            sampler=dict(type=sampler, shuffle=True)),
        optim_wrapper=dict(
            type='ScaledOptimWrapper' if case.scaler else 'OptimWrapper',
            optimizer=dict(type='AdamW', lr=0.01), clip_grad=dict(max_norm=5.0),
            accumulative_counts=2 if case.accumulate else 1),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.5, by_epoch=False, begin=0, end=3),
            dict(type='MultiStepLR', by_epoch=case.by_epoch, milestones=[2 if case.by_epoch
                                                                        else 7])],
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1),
            logger=dict(type='LoggerHook', interval=1)),
        custom_hooks=hooks, log_processor=dict(type='LogProcessor', by_epoch=False),
        launcher='none' if case.nproc == 1 else 'pytorch', randomness=dict(seed=3),
        log_level='ERROR'))
    cfg.merge_from_dict(options)
    return cfg


def train(cfg: Config) -> Runner:
    """Train as ``cfg`` says; when any rank returns, all files are written.

    The config is not laid out for the log, which takes half the time of so small a run.
    """
    with contextlib.suppress(Stopped), mock.patch.object(Config, 'pretty_text', ''):
        runner = Runner.from_cfg(cfg)
        runner.train()
    barrier()
    return runner


def witness(runner) -> Witness:
    """The run's own."""
    return next(hook for hook in runner.hooks if isinstance(hook, Witness))


def digests(path) -> dict[str, str]:
    """SHA-256 of what a checkpoint holds: weights, EMA, optimizer (with scaler), schedulers."""
    saved = load_checkpoint(path)
    parts = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'gradients')
    return {part: digest(saved[part]) for part in parts if part in saved}


def digest(value) -> str:
    """SHA-256 over keys, types and bytes, in order."""
    sha = hashlib.sha256()

    def add(item) -> None:
        if isinstance(item, torch.Tensor):
            sha.update(f'{item.dtype}{tuple(item.shape)}'.encode())
            sha.update(item.contiguous().numpy().tobytes())
        elif isinstance(item, Mapping):
            for key, one in item.items():
                sha.update(repr(key).encode())
                add(one)
        elif isinstance(item, list | tuple):
            sha.update(str(len(item)).encode())
            for one in item:
                add(one)
        else:
            sha.update(repr(item).encode())

    add(value)
    return sha.hexdigest()


def pair(case: Case, folder: Path, **options) -> dict:
    """Train whole, and again from the checkpoint at the cut; what both came to."""
    return resumed_at(case, [case.cut], folder, **options)[0]


def resumed_at(case: Case, cuts: Iterable[str], folder: Path, **options) -> list[dict]:
    """Train whole, and again from the checkpoint at each of ``cuts``; a report for each."""
    whole = train(case_cfg(case, folder / 'whole', **options))
    reports = []
    for cut in cuts:
        resumed = train(case_cfg(
            case, folder / cut, resume=True,
            load_from=str(folder / 'whole' / f'iter_{CUTS[cut]}.pth'),
            **{'default_hooks.checkpoint.interval': NUM_ITERS}, **options))
        reports.append(report(whole, resumed))
    return reports


def report(whole: Runner, resumed: Runner) -> dict:
    """Digests of both ends, the weights of this rank, and what each run did."""
    return dict(
        whole=digests(Path(whole.work_dir) / f'iter_{NUM_ITERS}.pth'),
        resumed=digests(Path(resumed.work_dir) / f'iter_{NUM_ITERS}.pth'),
        weights=[digest(runner._unwrapped().state_dict()) for runner in (whole, resumed)],
        began=[witness(runner).began for runner in (whole, resumed)],
        iterations=[witness(runner).iterations for runner in (whole, resumed)])


def main(folder: Path, cells: list[dict]) -> None:
    """Every cell in turn, as one rank of a job; the reports of rank r in r.json."""
    reports = []
    for number, cell in enumerate(cells):
        reports += resumed_at(Case(**cell['case']), cell['cuts'], folder / str(number),
                              **cell['options'])
    (folder / f'{get_rank()}.json').write_text(json.dumps(reports))


if __name__ == '__main__':
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
