"""Depths of two pixels, by hand."""

import math

import cv2
import pytest
import torch

from segplug.errors import ConfigError, ShapeError


def sample(depth, pred):
    return dict(gt_depth_map=dict(data=torch.tensor(depth)), img_path='a.jpg',
                pred_depth_map=dict(data=torch.tensor(pred)))


def test_each_measure(lent):
    from mmseg.evaluation import DepthMetric
    metric = DepthMetric(max_depth_eval=9)
    # The third pixel has no measurement, the fourth lies too far.
    metric.process({}, [sample([[1.0, 2.0, 0.0, 20.0]], [[1.0, 4.0, 1.0, 1.0]])])
    log = math.log(2)
    assert metric.evaluate(1) == pytest.approx(dict(
        d1=0.5, d2=0.5, d3=0.5, abs_rel=0.5, sq_rel=1.0, rmse=math.sqrt(2),
        rmse_log=math.sqrt(log ** 2 / 2), log10=math.log10(2) / 2,
        silog=math.sqrt(log ** 2 / 2 - 0.5 * (log / 2) ** 2)))


def test_the_mean_over_images_and_the_crop_of_nyu(lent):
    from mmseg.evaluation import DepthMetric
    metric = DepthMetric(['d1', 'rmse'])
    metric.process({}, [sample([[1.0]], [[1.0]]), sample([[1.0]], [[3.0]])])
    assert metric.evaluate(2) == dict(d1=0.5, rmse=1.0)
    counts = DepthMetric(crop_type='nyu_crop')._get_eval_mask(torch.ones(480, 640))
    assert counts.sum() == (471 - 45) * (601 - 41)


def test_it_writes_predictions(lent, tmp_path):
    from mmseg.evaluation import DepthMetric
    metric = DepthMetric(output_dir=str(tmp_path), format_only=True, depth_scale_factor=1000)
    metric.process({}, [sample([[1.0]], [[2.5]])])
    assert metric.evaluate(1) == {}
    assert cv2.imread(str(tmp_path / 'a.png'), cv2.IMREAD_UNCHANGED).tolist() == [[2500]]


def test_what_it_has_not(lent):
    from mmseg.evaluation import DepthMetric

    from segplug.compat.mmseg.depth_metric import depth_scores
    with pytest.raises(ConfigError, match="no measure 'd4'"):
        DepthMetric(['d4'])
    with pytest.raises(ConfigError, match='crop'):
        DepthMetric(crop_type='kitti')
    with pytest.raises(ShapeError):
        depth_scores(torch.ones(2), torch.ones(3))
