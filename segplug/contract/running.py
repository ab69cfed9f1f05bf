"""What hooks, samplers, visualizers and back ends keep: a run with them works, and repeats."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import PixelData

from ..engine.checkpoint import load_checkpoint
from ..registry import DATA_SAMPLERS, HOOKS, VISBACKENDS, VISUALIZERS
from ..structures import SegDataSample
from .case import Case, Check, adds_to, hold, own_scope
from .tiny_run import CLASSES, tiny_config, train_and_test
from .two_processes import on_two

HOOK_CHECKS: list[Check] = []
SAMPLER_CHECKS: list[Check] = []
VISUALIZER_CHECKS: list[Check] = []
BACKEND_CHECKS: list[Check] = []
LENGTH = 11


@dataclass
class HookCase(Case):
    """A hook."""

    registry: object = field(default=HOOKS)


@adds_to(HOOK_CHECKS, 'a tiny run')
def a_run_with_it_trains_saves_and_tests(case: HookCase) -> None:
    """Two iterations, a validation, a checkpoint that loads as data, and a test."""
    with tiny_config(custom_hooks=[case.settings]) as cfg:
        runner = train_and_test(cfg)
        saved = list(Path(runner.work_dir).glob('*.pth'))
        hold(bool(saved), f'With {case.name} no checkpoint is saved.')
        for file in saved:
            load_checkpoint(file)


@dataclass
class SamplerCase(Case):
    """A sampler of a data loader."""

    registry: object = field(default=DATA_SAMPLERS)

    def order(self, epoch: int = 0, rank: int = 0) -> list[int]:
        """The indices of an epoch, or the first ones where it has no end."""
        sampler = self.build(default_args=dict(dataset=Numbers(), seed=3))
        if hasattr(sampler, 'set_epoch'):
            sampler.set_epoch(epoch)
        return [int(i) for i in itertools.islice(iter(sampler), 2 * LENGTH)]


class Numbers(torch.utils.data.Dataset):
    """A data set of which a sampler knows the length."""

    metainfo = dict(classes=CLASSES)

    def __len__(self) -> int:
        return LENGTH

    def __getitem__(self, index: int) -> int:
        return index


@adds_to(SAMPLER_CHECKS, 'indices')
def indices_are_of_the_data_set(case: SamplerCase) -> None:
    """Integers below its length, at least one."""
    order = case.order()
    hold(bool(order), f'{case.name} draws nothing.')
    hold(all(0 <= i < LENGTH for i in order), f'{case.name} draws what is not in the data set.',
         got=order, expected=f'0 to {LENGTH - 1}')


@adds_to(SAMPLER_CHECKS, 'same seed')
def the_same_seed_gives_the_same_order(case: SamplerCase) -> None:
    """Of each epoch: a run that is resumed sees the same samples."""
    for epoch in (0, 1):
        hold(case.order(epoch) == case.order(epoch), f'{case.name} draws another order with the '
             f'same seed (epoch {epoch}).', fix='draw from a generator of self.seed + self.epoch')


@adds_to(SAMPLER_CHECKS, 'two processes')
def two_processes_share_the_samples(case: SamplerCase) -> None:
    """Together they draw what one process draws."""
    found = on_two(lambda rank: case.order(0, rank))
    for result in found:
        hold(isinstance(result, list), f'{case.name} fails on two processes.', got=result)
    both = set(itertools.chain.from_iterable(found))
    hold(set(case.order()) <= both, f'{case.name} on two processes leaves samples out.',
         got=sorted(both), expected=sorted(set(case.order())))


@dataclass
class VisualizerCase(Case):
    """A visualizer, which draws samples."""

    registry: object = field(default=VISUALIZERS)


@adds_to(VISUALIZER_CHECKS, 'draws a sample')
def it_draws_a_sample(case: VisualizerCase) -> None:
    """Label and prediction over the image, into a file and to its back ends."""
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    sample = SegDataSample(metainfo=dict(ori_shape=(20, 30), img_shape=(20, 30)))
    for name in ('gt_sem_seg', 'pred_sem_seg'):
        setattr(sample, name, PixelData(data=torch.zeros(1, 20, 30, dtype=torch.uint8)))
    with tempfile.TemporaryDirectory() as folder, own_scope():
        visualizer = case.build(default_args=dict(
            name=folder, vis_backends=[dict(type='LocalVisBackend')], save_dir=folder))
        visualizer.dataset_meta = dict(classes=CLASSES, palette=[[0, 0, 0]] * 3)
        file = Path(folder) / 'drawn.png'
        visualizer.add_datasample('drawn', image, sample, out_file=str(file))
        visualizer.add_datasample('drawn', image, sample, step=1)
        visualizer.close()
        hold(file.is_file(), f'{case.name} writes no picture to out_file.')


@dataclass
class BackendCase(Case):
    """A back end of a visualizer."""

    registry: object = field(default=VISBACKENDS)


@adds_to(BACKEND_CHECKS, 'takes all')
def it_takes_images_numbers_and_configs(case: BackendCase) -> None:
    """Whatever a run hands it."""
    with _own_folder() as folder:
        # As a run has it: MLflow's keeps what lies beside it.
        backend = case.build(default_args=dict(save_dir=f'{folder}/20260101_000000/vis_data'))
        backend.add_config(Config(dict(a=1)))
        backend.add_image('image', np.zeros((4, 5, 3), np.uint8), step=1)
        backend.add_scalar('loss', torch.tensor(1.5), step=1)
        backend.add_scalars(dict(loss=1.5, acc=2), step=2)
        backend.close()


@contextmanager
def _own_folder() -> Iterator[str]:
    """A folder for the while, the current one too: some back ends write there, as MLflow's."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)
