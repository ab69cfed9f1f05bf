"""The metric that third-party classes derive from; six pixels are counted by hand."""

import numpy as np
import pytest
import torch

from segplug.errors import ConfigError

PRED = torch.tensor([[0, 0, 1], [1, 2, 2]])
LABEL = torch.tensor([[0, 1, 1], [1, 255, 0]])
# Of the five pixels that count: class 0: 1 right, 2 predicted, 2 labelled; class 1: 2, 2, 3;
# class 2: 0, 1, 0.
AREAS = ([1, 2, 0], [3, 3, 1], [2, 2, 1], [2, 3, 0])


def sample():
    return dict(pred_sem_seg=dict(data=PRED[None]), gt_sem_seg=dict(data=LABEL[None]),
                img_path='some/img.png')


def metric(**options):
    from mmseg.evaluation import IoUMetric
    found = IoUMetric(**options)
    found.dataset_meta = dict(classes=('a', 'b', 'c'))
    return found


def test_areas(lent):
    areas = metric().intersect_and_union(PRED, LABEL, 3, 255)
    assert tuple(area.tolist() for area in areas) == AREAS
    assert all(area.dtype == torch.int64 for area in areas)


def test_metrics(lent):
    from mmseg.evaluation import IoUMetric
    areas = [torch.tensor(area) for area in AREAS]
    found = IoUMetric.total_area_to_metrics(*areas, ['mIoU', 'mDice', 'mFscore'])
    assert found['aAcc'] == 0.6
    np.testing.assert_allclose(found['IoU'], [1 / 3, 2 / 3, 0])
    np.testing.assert_allclose(found['Acc'], [1 / 2, 2 / 3, np.nan])
    np.testing.assert_allclose(found['Dice'], [2 / 4, 4 / 5, 0])
    np.testing.assert_allclose(found['Fscore'], [2 / 4, 4 / 5, np.nan])
    zeros = IoUMetric.total_area_to_metrics(*areas, 'mIoU', nan_to_num=0)
    assert zeros['Acc'][2] == 0
    with pytest.raises(ConfigError, match='mBoundary'):
        IoUMetric.total_area_to_metrics(*areas, ['mBoundary'])


def test_a_class_from_elsewhere_changes_what_is_made_of_them(lent):
    from mmseg.evaluation import IoUMetric

    class Mine(IoUMetric):
        def compute_metrics(self, results):
            assert [len(result) for result in results] == [4, 4]
            return {**super().compute_metrics(results), 'mine': 1.0}

    mine = Mine()
    mine.dataset_meta = dict(classes=('a', 'b', 'c'))
    mine.process({}, [sample()])
    mine.process({}, [sample()])
    found = mine.evaluate(2)
    assert found['mIoU'] == pytest.approx(100 / 3)
    assert found['mAcc'] == pytest.approx((100 / 2 + 200 / 3) / 2)
    assert (found['aAcc'], found['mine']) == (60, 1)
    assert mine.results == []


def test_it_writes_predictions(lent, tmp_path):
    import cv2
    found = metric(output_dir=str(tmp_path), format_only=True, keep_results=True)
    found.process({}, [sample()])
    assert found.evaluate(1) == {}
    written, = tmp_path.rglob('*.png')
    assert cv2.imread(str(written), cv2.IMREAD_UNCHANGED).tolist() == PRED.tolist()
