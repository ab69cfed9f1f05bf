"""Folders as `segplug test --out` leaves them, made without a network: images, labels, a training's
log, predictions with some wrong pixels, and scores by the metric itself."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from segplug.apis import run_record
from segplug.evaluation import BoundaryIoUMetric, IoUMetric

CLASSES = ('road', 'sky', 'car')
PALETTE = [[128, 64, 128], [70, 130, 180], [0, 0, 142]]


def config(root, classes=CLASSES, palette=None, **changes):
    """A config with a test set below ``root``, as run.json holds it."""
    dataset = dict(
        type='BaseSegDataset', data_root=str(root / 'data'),
        data_prefix=dict(img_path='img', seg_map_path='ann'), test_mode=True,
        metainfo=dict(classes=list(classes), **(dict(palette=palette) if palette else {})),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                  dict(type='PackSegInputs')])
    return dict(model=dict(data_preprocessor=dict(bgr_to_rgb=True)), default_scope='segplug',
                test_dataloader=dict(
                    batch_size=1, num_workers=0, dataset={**dataset, **changes},
                    sampler=dict(type='DefaultSampler', shuffle=False)))


def write_data(root, names, num_classes=3, size=(24, 40), seed=0):
    """Images and labels; the label of image i has a border that is ignored (255)."""
    rng = np.random.default_rng(seed)
    for i, name in enumerate(names):
        label = np.zeros(size, np.uint8)
        for k in range(1, num_classes):
            label[:, k * size[1] // num_classes:] = k
        label = np.roll(label, 3 * i, axis=1)
        label[:2] = 255
        image = np.repeat(label[..., None], 3, 2) * 40 + rng.integers(0, 40, (*size, 3), np.uint8)
        for kind, array in (('img', image), ('ann', label)):
            path = root / 'data' / kind / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode('.png', array)[1].tobytes())


def write_log(work):
    """A training of 40 iterations in two starts, the second one resumed at 20."""
    for stamp, first, last in (('20260101_000000', 5, 25), ('20260101_010000', 25, 40)):
        lines = [dict(lr=0.1 / i, loss=10. / i, iter=i, step=i) for i in range(first, last + 1, 5)]
        lines.append(dict(mIoU=float(last), aAcc=50., step=last))
        file = work / stamp / 'vis_data' / 'scalars.json'
        file.parent.mkdir(parents=True)
        file.write_text('\n'.join(map(json.dumps, lines)) + '\n')
    (work / 'iter_40.pth').write_bytes(b'weights')
    return work / 'iter_40.pth'


def write_scores(out, root, names, classes=CLASSES, wrong=0.1, suffix='.png', seed=1,
                 boundary=False):
    """Predictions and scores: in each image a share of pixels, more in later ones, is wrong."""
    metrics = [kind(out_dir=str(out)) for kind in (IoUMetric, BoundaryIoUMetric)[:1 + boundary]]
    for metric in metrics:
        metric.dataset_meta = dict(classes=classes)
    rng = np.random.default_rng(seed)
    for i, name in enumerate(names):
        label = cv2.imread(str(root / 'data' / 'ann' / f'{name}.png'), -1)
        pred = np.where(label == 255, 0, label).astype(np.int64)
        noise = rng.random(label.shape) < wrong * (i + 1) / len(names)
        pred[noise] = rng.integers(0, len(classes), int(noise.sum()))
        for metric in metrics:
            metric.process({}, [dict(
                sample_idx=i, img_path=str(root / 'data' / 'img' / f'{name}{suffix}'),
                pred_sem_seg=dict(data=torch.from_numpy(pred)[None]),
                gt_sem_seg=dict(data=torch.from_numpy(label.astype(np.int64))[None]))])
    for metric in metrics:
        metric.evaluate(len(names))
    return run_record.score_files(metrics)


def folder_of_a_test(root: Path, name='ss', *, num=6, classes=CLASSES, palette=PALETTE,
                     size=(24, 40), names=None, scales=(1.0,), wrong=0.1, suffix='.png',
                     record=True, boundary=False, **known) -> Path:
    """A folder below ``root`` with all that a test leaves; ``known`` are entries of run.json."""
    names = names or [f'town/street_{i}' for i in range(num)]
    if not (root / 'data').exists():
        write_data(root, names, len(classes), size)
    checkpoint = root / 'work' / 'iter_40.pth'
    if not checkpoint.exists():
        write_log(root / 'work')
    out = root / name
    files = write_scores(out, root, names, classes, wrong, suffix, boundary=boundary)
    if record:
        run_record.write(out, **{**dict(
            score_files=files, made_by='segplug test',
            command=f'segplug test net.py {checkpoint} --out {out}',
            config_file='nets/net.py', config=config(root, classes, palette, img_suffix=suffix),
            checkpoint=run_record.file_facts(checkpoint), scales=list(scales),
            flip=len(scales) > 1, level=0.95, ignore_index=255, classes=list(classes),
            palette=palette, num_processes=1, device='CPU', versions={'torch': '2.0'}), **known})
    return out
