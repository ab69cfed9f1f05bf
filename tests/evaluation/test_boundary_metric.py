"""The boundary metric: its sums over images and processes, its file, and what it refuses."""

import json

import numpy as np
import pytest
import torch

from segplug.errors import DataError
from segplug.evaluation import boundary_metric
from segplug.evaluation.boundary_metric import BoundaryIoUMetric
from segplug.ops.boundary import boundary_counts

CLASSES = ('sky', 'road', 'car')


def metric_of(classes=CLASSES, **settings):
    metric = BoundaryIoUMetric(**settings)
    metric.dataset_meta = dict(classes=classes)
    return metric


def sample(index, pred, label):
    return dict(sample_idx=index, img_path=f'/d/{index}.png',
                pred_sem_seg=dict(data=torch.as_tensor(pred)[None]),
                gt_sem_seg=dict(data=torch.as_tensor(label)[None]))


def images(count, size=30):
    rng = np.random.default_rng(0)
    made = []
    for index in range(count):
        pred, label = np.repeat(rng.integers(0, 3, (2, size, size // 5 + index)), 5, axis=2)
        label[rng.random(label.shape) < 0.1] = 255
        made.append(sample(index, pred, label))
    return made


def test_by_hand():
    # 4x4 and d = 1. A label of class 0 against a prediction whose left half is 1: the label's
    # boundary is the rim, 12 pixels of class 0. The prediction's: of class 1 columns 0 and 1, all
    # 8 (the rim, and column 1 touches column 2), of class 0 the other 8. Class 0 shares the rim's
    # right half, 6, of 12 + 8 - 6 = 14; class 1 shares 0 of 8; class 2 is nowhere.
    pred = np.zeros((4, 4), np.int64)
    pred[:, :2] = 1
    metric = metric_of()
    metric.process({}, [sample(0, pred, np.zeros((4, 4), np.int64))])
    result = metric.evaluate(1)
    assert metric.counts.tolist() == [[6, 0, 0], [14, 8, 0]]
    assert result == dict(mBIoU=pytest.approx(100 * (6 / 14 + 0) / 2, abs=1e-12))
    assert metric.details['BIoU.road'] == 0
    assert np.isnan(metric.details['BIoU.car'])


def test_counts_are_summed_before_they_are_divided():
    metric, batch = metric_of(), images(5)
    metric.process({}, batch)
    result = metric.evaluate(5)
    total = sum(boundary_counts(*(s[k]['data'][0].numpy() for k in ('pred_sem_seg', 'gt_sem_seg')),
                                3) for s in batch)
    assert (metric.counts == total).all()
    assert result['mBIoU'] == pytest.approx(100 * (total[0] / total[1]).mean(), abs=1e-12)


@pytest.mark.parametrize('processes', [2, 3, 4, 7])
def test_any_number_of_processes_writes_the_same_bytes(processes, tmp_path, monkeypatch):
    batch = images(7)
    parts = [batch[rank::processes] for rank in range(processes)]
    one = metric_of(out_dir=tmp_path / 'one')
    one.process({}, batch)
    expected = one.evaluate(7)
    gathered = []
    for part in parts:
        metric = metric_of(out_dir=tmp_path / 'many')
        metric.process({}, part)
        gathered.append(list(metric.results))
    monkeypatch.setattr(boundary_metric, 'all_gather_object', lambda own: gathered)
    assert metric.evaluate(7) == expected
    name = boundary_metric.FILE_NAME
    assert (tmp_path / 'many' / name).read_bytes() == (tmp_path / 'one' / name).read_bytes()


def test_the_file_holds_every_class_unrounded(tmp_path):
    metric = metric_of(out_dir=tmp_path)
    metric.process({}, [sample(0, np.zeros((9, 9), int), np.zeros((9, 9), int))])
    metric.evaluate(1)
    written = json.loads((tmp_path / 'boundary_metrics.json').read_text())
    assert written == {'mBIoU': 100., 'BIoU.sky': 100., 'BIoU.road': None, 'BIoU.car': None}


def test_an_all_ignored_set_has_no_score():
    metric = metric_of()
    metric.process({}, [sample(0, np.zeros((9, 9), int), np.full((9, 9), 255))])
    assert np.isnan(metric.evaluate(1)['mBIoU'])


def test_an_image_scored_twice_or_not_at_all_is_an_error():
    metric, (image,) = metric_of(), images(1)
    metric.process({}, [image, image])
    with pytest.raises(DataError, match='more than once'):
        metric.evaluate(2)
    metric.process({}, [image])
    with pytest.raises(DataError, match='Not every image'):
        metric.evaluate(2)


def test_without_labels_it_needs_format_only():
    image = images(1)[0]
    del image['gt_sem_seg']
    with pytest.raises(DataError, match='has no label'):
        metric_of().process({}, [image])
    metric = metric_of(format_only=True)
    metric.process({}, [image])
    assert metric.evaluate(1) == {}
