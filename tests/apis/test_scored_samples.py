"""Reports of `segplug score --out`: the compared files, read again as run.json says."""

import json

import cv2
import numpy as np
import pytest
from made_folders import folder_of_a_test, write_data

from segplug.apis import report, score
from segplug.apis.scored_samples import ScoredSamples
from segplug.apis.tested import read_tested
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError


@pytest.fixture
def out(tmp_path):
    """Scores of three predictions whose values, as those of the labels, count from 1."""
    write_data(tmp_path, [f'town/street_{i}' for i in range(3)])
    for i in range(3):
        for kind in ('ann', 'pred'):
            path = tmp_path / 'data' / 'ann' / 'town' / f'street_{i}.png'
            label = cv2.imread(str(path), -1)
            values = np.where(label == 255, 0, label + 1) if kind == 'ann' else label
            values[5, :i] = 1
            target = tmp_path / 'data' / kind / 'town' / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(cv2.imencode('.png', values)[1].tobytes())
    score(str(tmp_path / 'data/pred'), str(tmp_path / 'data/ann'), classes='road,sky,car',
          reduce_zero_label=True, pred_values='label-ids', out=str(tmp_path / 'out'))
    return tmp_path / 'out'


def test_a_pair_is_read_as_it_was_scored(out):
    samples = ScoredSamples(read_tested(out))
    sample = samples.read('street_2.png')
    assert samples.ignore_index == 255
    assert set(np.unique(sample.label)) == {0, 1, 2, 255}
    assert sample.picture.std() == 0


def test_images_are_laid_below(out, tmp_path):
    assert 'knows labels and predictions only' in report(out).remarks[0]
    made = report(out, image_dir=tmp_path / 'data/img')
    assert made.remarks == ()
    page = made.path.read_text()
    assert page.count('<img class="image"') == 3
    assert 'segplug score' in page
    sample = ScoredSamples(read_tested(out), tmp_path / 'data/img').read('street_1.png')
    image = cv2.imread(str(tmp_path / 'data/img/town/street_1.png'))[..., ::-1]
    assert np.array_equal(sample.picture, image)
    (tmp_path / 'data/img/town/street_1.png').unlink()
    assert 'There is no image' in report(out, image_dir=tmp_path / 'data/img').path.read_text()
    with pytest.raises(DataError, match='does not exist'):
        report(out, image_dir=tmp_path / 'nothing')


def test_files_that_changed_since(out, tmp_path):
    (tmp_path / 'data/pred/town/street_0.png').unlink()
    path = tmp_path / 'data/pred/town/street_1.png'
    path.write_bytes((tmp_path / 'data/pred/town/street_2.png').read_bytes())
    page = report(out).path.read_text()
    assert 'street_0.png cannot be read' in page
    assert 'street_1.png is not what was scored' in page


@pytest.mark.parametrize(('change', 'says'), [
    (dict(files={'a.png': ['x', 'y']}), 'other files'),
    (dict(files={f'town/street_{i}.png': ['x'] for i in range(3)}), 'files is wrong'),
    (dict(file_values={'label': {'a': 1}}), 'what the values'),
    (dict(file_values={'label': {'70000': 1}}), 'what the values')])
def test_a_record_that_was_changed(out, change, says):
    record = json.loads((out / 'run.json').read_text())
    (out / 'run.json').write_text(json.dumps({**record, **change}))
    with pytest.raises(DataError, match=says):
        ScoredSamples(read_tested(out))


def test_images_of_a_test_are_in_its_config(tmp_path):
    with pytest.raises(ConfigError, match='--image-dir has no effect'):
        report(folder_of_a_test(tmp_path), image_dir=tmp_path)


def test_the_command_is_in_the_record(out, tmp_path, capsys):
    words = ['score', str(tmp_path / 'data/pred'), str(tmp_path / 'data/ann'), '--classes',
             'road,sky,car', '--reduce-zero-label', '--pred-values', 'label-ids']
    assert main([*words, '--out', str(tmp_path / 'again')]) == 0, capsys.readouterr().err
    command = json.loads((tmp_path / 'again/run.json').read_text())['command']
    assert command.startswith('segplug score ')
    assert command.endswith('--out ' + str(tmp_path / 'again'))
