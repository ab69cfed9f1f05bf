"""A small, clean data set of two splits, and the config that names it; tests spoil it."""

import copy

import cv2
import numpy as np
from mmengine.config import Config

CLASSES = ('earth', 'water', 'air')
PALETTE = [[200, 0, 0], [0, 200, 0], [0, 0, 200]]
SIZE = (12, 16)  # H, W
TRAIN = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
         dict(type='RandomCrop', crop_size=(8, 8)), dict(type='RandomFlip', prob=0.5),
         dict(type='PackSegInputs')]
TEST = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]


def stripes(num_values: int = 3, first: int = 0) -> np.ndarray:
    """SIZE uint8: row r holds ``first`` + r modulo ``num_values``."""
    rows = first + np.arange(SIZE[0]) % num_values
    return np.repeat(rows[:, None], SIZE[1], axis=1).astype(np.uint8)


def write(path, pixels, *options) -> None:
    """A picture file of the kind that its name says; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels, *options)[1].tobytes())


def make_tree(root, label=None, names=(('train', 'abcd'), ('val', 'ef'))):
    """img/<split>/x.png of noise around ImageNet's mean, ann/<split>/x.png of ``label``."""
    rng = np.random.default_rng(0)
    for split, stems in names:
        for stem in stems:
            img = np.clip(rng.normal(115, 60, (*SIZE, 3)), 0, 255).astype(np.uint8)
            write(root / f'img/{split}/{stem}.png', img)
            write(root / f'ann/{split}/{stem}.png', stripes() if label is None else label)
    return root


def config_of(root, classes=CLASSES, num_classes=None, **changes) -> Config:
    """A config of the tree at ``root``; ``changes`` go to both data sets."""
    def loader(split, pipeline):
        return dict(batch_size=1, sampler=dict(type='DefaultSampler', shuffle=split == 'train'),
                    dataset=dict(
            type='BaseSegDataset', data_root=str(root), img_suffix='.png',
            pipeline=copy.deepcopy(pipeline), metainfo=dict(classes=classes,
                                                            palette=PALETTE[:len(classes)] or None),
            data_prefix=dict(img_path=f'img/{split}', seg_map_path=f'ann/{split}'), **changes))
    return Config(dict(
        default_scope='segplug', randomness=dict(seed=1),
        train_dataloader=loader('train', TRAIN), val_dataloader=loader('val', TEST),
        test_dataloader=loader('val', TEST), val_evaluator=dict(type='IoUMetric'),
        test_evaluator=dict(type='IoUMetric'),
        model=dict(
            type='EncoderDecoder', backbone=dict(type='ResNet', depth=18, in_channels=3),
            data_preprocessor=dict(type='SegDataPreProcessor', bgr_to_rgb=True,
                                   mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
            decode_head=dict(type='FCNHead', num_classes=num_classes or len(classes)))))


def mended(cfg: Config, findings) -> Config:
    """``cfg`` with every line of the findings pasted where it belongs."""
    cfg = copy.deepcopy(cfg)
    for finding in findings:
        for mending in finding.mending:
            node = cfg
            for key in mending.place.split('.'):
                node = node[int(key)] if key.isdigit() else node[key]
            node.update(eval(f'dict({mending.line})'))  # noqa: S307 (a line that we wrote)
    return cfg


def names(report) -> dict[str, list[str]]:
    """Of the findings, with where each is."""
    found = {}
    for finding in report.findings:
        found.setdefault(finding.name, []).append(finding.where)
    return found


def each(root, kind='ann', splits=('train', 'val')):
    """The files of a kind."""
    return [path for split in splits for path in sorted((root / kind / split).iterdir())]


def relabel(root, label) -> None:
    """Write every label anew."""
    for path in each(root):
        write(path, label)


def one_too_high(root):
    """The config of a tree whose labels count from 1."""
    relabel(root, stripes(first=1))
    return config_of(root)


def stray_value(root):
    """The config of a tree with two values that are no class in one label."""
    label = stripes()
    label[0, :3], label[5, 0] = 77, 3
    write(root / 'ann/train/b.png', label)
    return config_of(root)
