"""Two made-up images; the scores are those that cityscapesscripts gives for perfect predictions."""

import numpy as np
import pytest
import torch
from PIL import Image

from segplug.errors import ConfigError


@pytest.fixture
def city(tmp_path):
    """An image of road and car, and what a perfect model says of it."""
    folder = tmp_path / 'gtFine' / 'val' / 'ulm'
    folder.mkdir(parents=True)
    train = np.zeros((8, 8), np.uint8)  # road
    train[:4] = 13  # car
    label = np.where(train == 13, 26, 7).astype(np.uint8)
    instances = np.where(train == 13, 26001, 7).astype(np.uint16)
    stem = str(folder / 'ulm_000000_000001_gtFine')
    Image.fromarray(label).save(f'{stem}_labelIds.png')
    Image.fromarray(instances).save(f'{stem}_instanceIds.png')
    return dict(pred_sem_seg=dict(data=torch.from_numpy(train)[None]),
                img_path='ulm_000000_000001_leftImg8bit.png',
                seg_map_path=f'{stem}_labelTrainIds.png')


def test_perfect_predictions(lent, city, tmp_path, capsys):
    pytest.importorskip('cityscapesscripts')
    from mmseg.evaluation import CityscapesMetric
    metric = CityscapesMetric(output_dir=str(tmp_path / 'out'))
    metric.process({}, [city])
    assert np.array_equal(
        np.unique(Image.open(tmp_path / 'out' / 'ulm_000000_000001_leftImg8bit.png')), [7, 26])
    assert metric.evaluate(1) == dict(averageScoreCategories=1.0, averageScoreInstCategories=1.0)
    assert not (tmp_path / 'out').exists()


def test_files_for_the_server(lent, city, tmp_path):
    from mmseg.evaluation import CityscapesMetric

    from segplug.registry import METRICS
    metric = METRICS.build(dict(type='CityscapesMetric', output_dir=str(tmp_path / 'out'),
                                format_only=True, keep_results=True))
    assert type(metric) is CityscapesMetric
    metric.process({}, [city])
    assert metric.evaluate(1) == {}
    assert [path.name for path in (tmp_path / 'out').iterdir()] == [
        'ulm_000000_000001_leftImg8bit.png']
    with pytest.raises(ConfigError, match='throw away'):
        CityscapesMetric(output_dir=str(tmp_path), format_only=True)
