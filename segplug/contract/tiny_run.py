"""A model of a few channels, four images and two iterations: what a part of a training is tried in.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config

from ..engine import Runner
from .case import hold

SIZE = (32, 48)
CLASSES = ('a', 'b', 'c')
BACKBONE = dict(type='ResNet', depth=18, stem_channels=4, base_channels=4, num_stages=2,
                strides=(1, 2), dilations=(1, 1), out_indices=(0, 1))
HEAD = dict(type='FCNHead', in_channels=8, in_index=1, channels=4, num_convs=1, num_classes=3)
PREPROCESSOR = dict(type='SegDataPreProcessor', mean=[120.] * 3, std=[60.] * 3)
MODEL = dict(type='EncoderDecoder', backbone=BACKBONE, decode_head=HEAD,
             data_preprocessor=PREPROCESSOR)


@contextmanager
def tiny_config(**more) -> Iterator[Config]:
    """A config whose data and work directory exist as long as the context.

    Args:
        more: Top-level keys beside these.
    """
    with tempfile.TemporaryDirectory() as folder:
        _images(Path(folder))
        yield Config(dict(
            default_scope='segplug', model=MODEL, work_dir=f'{folder}/work',
            train_dataloader=_loader(folder, 'InfiniteSampler'),
            val_dataloader=_loader(folder, 'DefaultSampler', shuffle=False),
            test_dataloader=_loader(folder, 'DefaultSampler', shuffle=False),
            val_evaluator=dict(type='IoUMetric'), test_evaluator=dict(type='IoUMetric'),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2),
            val_cfg=dict(type='ValLoop'), test_cfg=dict(type='TestLoop'),
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
            default_hooks=dict(
                logger=dict(type='LoggerHook', interval=1),
                checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2)),
            log_processor=dict(by_epoch=False), log_level='ERROR', randomness=dict(seed=0),
            env_cfg=dict(dist_cfg=dict(backend=None)), **more))


def _loader(folder: str, sampler: str, **more) -> dict:
    pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                dict(type='PackSegInputs')]
    return dict(batch_size=2, num_workers=0, sampler=dict(type=sampler, **more), dataset=dict(
        type='BaseSegDataset', data_root=folder, metainfo=dict(classes=CLASSES),
        img_suffix='.png', data_prefix=dict(img_path='img', seg_map_path='label'),
        pipeline=pipeline))


def _images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name, shape in (('img', (*SIZE, 3)), ('label', SIZE)):
        (folder / name).mkdir()
        for i in range(4):
            cv2.imwrite(str(folder / name / f'{i}.png'),
                        rng.integers(0, 256 if name == 'img' else 3, shape, dtype=np.uint8))


def train_and_test(cfg: Config) -> Runner:
    """The runner that has trained two iterations, validated, saved and tested."""
    runner = Runner.from_cfg(cfg)
    runner.train()
    hold(runner.iter == 2, 'A tiny training ends early.', got=f'iteration {runner.iter}',
         expected=2)
    runner.test()
    return runner
