"""Samples of ours and of the baseline, one at a time by stages and through a loader with a worker.
"""

import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from baselines.mmseg_training import STAGES, MmsegTraining
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, Dataset

from segplug.datasets import pipeline as planned
from segplug.datasets.pipeline import Pipeline
from segplug.datasets.transforms.fields import takes_frames
from segplug.engine.dataloading import build_dataloader
from segplug.registry import DATASETS

# What each of our transforms does, in the baseline's words. Frames put work off, so resizing,
# cutting and mirroring happen where the first transform wants pixels.
OURS = dict(LoadImageFromFile='decode image', LoadAnnotations='decode label',
            RandomResize='resize, crop, flip', RandomCrop='resize, crop, flip',
            RandomFlip='resize, crop, flip', PhotoMetricDistortion='distort',
            PackSegInputs='pack')


def dataset_cfg(root: Path, size, crop, packed: str | None = None, distorts: bool = True) -> dict:
    """The recipe of the published Cityscapes configs over a tree of frames."""
    steps = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
             dict(type='RandomResize', scale=size[::-1], ratio_range=(0.5, 2.0), keep_ratio=True),
             dict(type='RandomCrop', crop_size=crop, cat_max_ratio=0.75),
             dict(type='RandomFlip', prob=0.5), dict(type='PhotoMetricDistortion'),
             dict(type='PackSegInputs')]
    if not distorts:
        steps = [step for step in steps if step['type'] != 'PhotoMetricDistortion']
    return dict(type='CityscapesDataset', data_root=str(root), packed=packed, pipeline=steps,
                data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'))


class BaselineDataset(Dataset):
    """The same files through the baseline."""

    def __init__(self, files: list[tuple[str, str]], size, crop, distorts: bool = True) -> None:
        self.files = files
        self.pipeline = MmsegTraining(size[::-1], crop_size=crop, distorts=distorts)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int):
        inputs, label = self.pipeline(*self.files[int(index)])
        return dict(inputs=inputs, label=label)


def files_of(dataset) -> list[tuple[str, str]]:
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(info['img_path'], info['seg_map_path']) for info in infos]


def check_same(root: Path, size, crop, packed: str, seeds: int = 6) -> None:
    """Without distortion ours, from files and packed, is the baseline to the byte."""
    sets = [DATASETS.build(dataset_cfg(root, size, crop, where, distorts=False))
            for where in (None, packed)]
    baseline = BaselineDataset(files_of(sets[0]), size, crop, distorts=False)
    for seed in range(seeds):
        np.random.seed(seed)
        want = baseline[seed % len(baseline)]
        for dataset in sets:
            np.random.seed(seed)
            got = dataset[seed % len(dataset)]
            if not (got['inputs'].equal(want['inputs'])
                    and got['data_samples'].gt_sem_seg.data.long().equal(want['label'])):
                raise RuntimeError('Baseline and ours give different samples.')


def baseline_stages(dataset: BaselineDataset, count: int) -> dict[str, float]:
    """Mean ms of each stage over ``count`` samples."""
    times = defaultdict(float)
    for number in range(count):
        start = time.perf_counter()
        for name in dataset.pipeline.stages(*dataset.files[number % len(dataset)]):
            if not isinstance(name, str):
                break
            times[name] += time.perf_counter() - start
            start = time.perf_counter()
    return {name: 1000 * times[name] / count for name in STAGES}


def our_stages(dataset, count: int) -> dict[str, float]:
    """The same of ours; what frames put off counts where they came from."""
    times = defaultdict(float)
    for number in range(count):
        data = dataset.get_data_info(number % len(dataset))
        last = None
        for transform in dataset.pipeline.transforms:
            start = time.perf_counter()
            planned._convert(data, takes_frames(transform))
            times[last or 'decode image'] += time.perf_counter() - start
            start = time.perf_counter()
            data = transform(data)
            last = OURS[type(transform).__name__]
            times[last] += time.perf_counter() - start
    return {name: 1000 * value / count for name, value in times.items()}


def loader_of(dataset, batch_size: int) -> DataLoader:
    """One worker; ours as a training builds it, the baseline as mmengine would."""
    if isinstance(dataset, BaselineDataset):
        return DataLoader(dataset, batch_size, shuffle=True, num_workers=1, drop_last=False,
                          persistent_workers=True, collate_fn=pseudo_collate)
    if not isinstance(dataset.pipeline, Pipeline):
        raise RuntimeError('The pipeline is not planned.')
    return build_dataloader(dict(dataset=dataset, batch_size=batch_size, num_workers=1,
                                 persistent_workers=True,
                                 sampler=dict(type='InfiniteSampler', shuffle=True)),
                            seed=0, stream=True)


class Stream:
    """Batch after batch, epoch after epoch."""

    def __init__(self, loader: DataLoader) -> None:
        self.loader, self._batches = loader, iter(loader)

    def __next__(self):
        try:
            return next(self._batches)
        except StopIteration:
            self._batches = iter(self.loader)
            return next(self._batches)


def rate(stream: Stream, num_samples: int) -> float:
    """Samples per second over at least ``num_samples``, once what was fetched ahead is used up."""
    for _ in range(4):
        next(stream)
    start, done = time.perf_counter(), 0
    while done < num_samples:
        done += len(next(stream)['inputs'])
    return done / (time.perf_counter() - start)


def sent_bytes(sample: dict) -> int:
    """Of the tensors that a worker sends for a sample."""
    if 'label' in sample:
        return sample['inputs'].nbytes + sample['label'].nbytes
    return sample['inputs'].nbytes + sample['data_samples'].gt_sem_seg.data.nbytes
