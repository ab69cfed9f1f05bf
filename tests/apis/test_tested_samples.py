"""Pictures, labels and predictions of a test: those that were scored, or an error."""

import os
import shutil

import cv2
import numpy as np
import pytest
from made_folders import config, folder_of_a_test

from segplug.apis.tested import read_tested
from segplug.apis.tested_samples import Samples, config_of, counted
from segplug.errors import ConfigError, DataError


def samples_of(out, **changes):
    tested = read_tested(out)
    return Samples(tested, config_of(tested, **changes), 255)


def test_counts_of_one_image():
    label = np.array([[0, 0, 1], [1, 255, 2]])
    prediction = np.array([[0, 1, 1], [0, 0, 3]])
    # true positives: one 0, one 1; predicted 0 where it is 1, and 1 where it is 0; 3 is no class
    assert counted(label, prediction, 3, 255).tolist() == [[1, 1, 0], [1, 1, 0], [1, 1, 1]]


def test_a_sample_is_read_as_it_was_scored(tmp_path):
    out = folder_of_a_test(tmp_path)
    sample = samples_of(out).read('street_2.png')
    assert np.array_equal(sample.label, cv2.imread(f'{tmp_path}/data/ann/town/street_2.png', -1))
    assert np.array_equal(sample.prediction, cv2.imread(f'{out}/predictions/street_2.png', -1))
    image = cv2.imread(f'{tmp_path}/data/img/town/street_2.png')[..., ::-1]
    assert np.array_equal(sample.picture, image)


def test_paths_that_lead_from_the_folder_of_the_test(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = folder_of_a_test(tmp_path, config=config(
        tmp_path, data_root='data', img_suffix='.png'))
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir('elsewhere')
    assert samples_of(out).read('street_0.png').label.shape == (24, 40)
    shutil.move(tmp_path / 'data', tmp_path / 'moved')
    with pytest.raises(DataError, match='no image'):
        samples_of(out)
    assert samples_of(out, data_root=str(tmp_path / 'moved')).read('street_0.png')


def test_another_set_of_images_is_refused(tmp_path):
    out = folder_of_a_test(tmp_path)
    (tmp_path / 'data/img/town/street_3.png').unlink()
    with pytest.raises(DataError, match=r'not the one.*without street_3.png'):
        samples_of(out)


@pytest.mark.parametrize(('name', 'says'), [
    ('data/ann/town/street_1.png', 'is not what was scored'),
    ('ss/predictions/street_1.png', 'is not what was scored')])
def test_what_was_changed_since_is_told(tmp_path, name, says):
    out = folder_of_a_test(tmp_path)
    values = cv2.imread(str(tmp_path / name), -1)
    values[5, 5] = (values[5, 5] + 1) % 3
    (tmp_path / name).write_bytes(cv2.imencode('.png', values)[1].tobytes())
    samples = samples_of(out)
    assert samples.read('street_0.png')
    with pytest.raises(DataError, match=says):
        samples.read('street_1.png')


@pytest.mark.parametrize('name', ['data/img/town/street_1.png', 'data/ann/town/street_1.png',
                                  'ss/predictions/street_1.png'])
def test_a_damaged_file_is_named(tmp_path, name):
    out = folder_of_a_test(tmp_path)
    samples = samples_of(out)
    (tmp_path / name).write_bytes(b'no picture')
    with pytest.raises(DataError, match='street_1.png'):
        samples.read('street_1.png')
    os.unlink(tmp_path / name)
    with pytest.raises(DataError, match='street_1.png'):
        samples.read('street_1.png')


def test_a_prediction_of_another_size(tmp_path):
    out = folder_of_a_test(tmp_path)
    small = cv2.imencode('.png', np.zeros((4, 4), np.uint8))[1].tobytes()
    (out / 'predictions/street_1.png').write_bytes(small)
    with pytest.raises(DataError, match='differs in size'):
        samples_of(out).read('street_1.png')


def test_sixteen_bits_and_many_channels_are_shown(tmp_path):
    out = folder_of_a_test(tmp_path, num=2, suffix='.npy')
    for i in range(2):
        bands = np.random.default_rng(i).integers(0, 4000, (24, 40, 5)).astype(np.uint16)
        np.save(tmp_path / f'data/img/town/street_{i}.npy', bands)
    picture = samples_of(out).read('street_1.npy').picture
    assert (picture.shape, picture.dtype) == ((24, 40, 3), np.uint8)
    assert picture.std() > 50


def test_a_sample_that_does_not_say_its_file_is_shown(tmp_path):
    """As the pipeline has it; the pipeline's image is that of the file."""
    out = folder_of_a_test(tmp_path)
    pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                dict(type='PackSegInputs', meta_keys=('ori_shape',))]
    options = {'test_dataloader.dataset.pipeline': pipeline}
    bare, full = (samples_of(out, **given).read('street_2.png')
                  for given in (dict(options=options), {}))
    assert np.array_equal(bare.picture, full.picture)


def test_no_config_is_said(tmp_path):
    with pytest.raises(ConfigError, match='--config'):
        samples_of(folder_of_a_test(tmp_path, record=False))
    with pytest.raises(ConfigError, match='no test_dataloader'):
        samples_of(folder_of_a_test(tmp_path, 'other', config=dict(model=dict())))


def test_no_loader_is_made_as_other_processes_may_be_gone(tmp_path):
    """A sampler asks the other processes for a seed; those of a test with --report have ended."""
    cfg = config(tmp_path, img_suffix='.png')
    cfg['test_dataloader']['sampler'] = dict(type='Unheard', shuffle=False)
    assert samples_of(folder_of_a_test(tmp_path, config=cfg)).read('street_0.png')
