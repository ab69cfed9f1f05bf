"""Every registered metric: the same result however the images are ordered or batched, an error
for what is out of range, and a fresh start after each evaluation. A metric without a row fails.
"""

import numpy as np
import pytest
import torch

from segplug.errors import DataError
from segplug.registry import METRICS

# Name -> the arguments it is tried with.
ROWS = {
    'IoUMetric': [dict(), dict(iou_metrics=['mIoU', 'mDice', 'mFscore'], beta=2),
                  dict(nan_to_num=0, prefix='val')],
    'BoundaryIoUMetric': [dict(), dict(dilation_ratio=0.1, prefix='val')],
}
CASES = [(name, settings) for name, rows in ROWS.items() for settings in rows]
META = dict(classes=('a', 'b', 'c'), palette=[[0, 0, 0], [1, 1, 1], [2, 2, 2]])


def build(name, settings):
    metric = METRICS.build(dict(type=name, **settings))
    metric.dataset_meta = META
    return metric


def samples(count=5):
    generator = np.random.default_rng(0)
    made = []
    for index in range(count):
        label, pred = torch.from_numpy(generator.integers(0, 3, (2, 1, 9 + index, 11)))
        label[0, 0, :4] = 255
        made.append(dict(sample_idx=index, img_path=f'/d/{index}.png',
                         gt_sem_seg=dict(data=label), pred_sem_seg=dict(data=pred)))
    return made


def test_every_metric_has_a_row():
    METRICS.import_from_location()
    ours = {name for name, cls in METRICS.module_dict.items()
            if cls.__module__.startswith('segplug.')}
    assert ours == set(ROWS)


@pytest.mark.parametrize(('name', 'settings'), CASES)
def test_order_and_batches_do_not_matter(name, settings):
    images = samples()
    results = []
    for batches in ([images], [[s] for s in images], [[s] for s in reversed(images)]):
        metric = build(name, settings)
        for _ in range(2):  # the second evaluation must not see the first
            for batch in batches:
                metric.process({}, batch)
            results.append(metric.evaluate(len(images)))
    assert all(result == results[0] for result in results)
    assert all(isinstance(v, float) and np.isfinite(v) for v in results[0].values())


@pytest.mark.parametrize(('name', 'settings'), CASES)
def test_a_perfect_prediction_scores_100(name, settings):
    images = samples()
    for image in images:
        image['pred_sem_seg']['data'] = image['gt_sem_seg']['data'] % 255
    metric = build(name, settings)
    metric.process({}, images)
    assert set(metric.evaluate(len(images)).values()) == {100.}


@pytest.mark.parametrize('field', ['gt_sem_seg', 'pred_sem_seg'])
@pytest.mark.parametrize(('name', 'settings'), CASES)
def test_values_out_of_range_are_an_error(name, settings, field):
    image = samples(1)[0]
    image[field]['data'][0, 5, 5] = 3
    with pytest.raises(DataError, match=r'/d/0\.png.*Got: 3'):
        build(name, settings).process({}, [image])
