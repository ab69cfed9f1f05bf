"""run.json: what a test leaves of itself, and what can be wrong with one that comes back."""

import hashlib
import json
import subprocess

import numpy as np
import pytest

from segplug.apis import run_record
from segplug.apis.score_values import Labelling
from segplug.apis.testing import test as score
from segplug.errors import DataError
from segplug.evaluation import IoUMetric

CONFIG = 'unet/unet_r18_minicity.py'


def test_a_test_says_what_was_tested_with_what(trained, minicity, tiny, tmp_path):
    score(CONFIG, str(trained.checkpoint), options=tiny, data_root=str(minicity), aug_test=True,
          work_dir=str(tmp_path / 'work'), out=str(tmp_path / 'out'),
          command=['segplug', 'test', 'my config.py'])
    record = run_record.read(tmp_path / 'out')
    assert record['command'] == "segplug test 'my config.py'"
    assert record['config_file'] == CONFIG
    assert record['config']['test_dataloader']['dataset']['data_root'] == str(minicity)
    digest = hashlib.sha256(trained.checkpoint.read_bytes()).hexdigest()
    assert record['checkpoint'] == dict(file=str(trained.checkpoint), sha256=digest,
                                        bytes=trained.checkpoint.stat().st_size)
    # the scales of the config's aug_test_cfg, each with its mirror image
    assert len(record['scales']) > 1
    assert record['flip'] is True
    assert (record['level'], record['ignore_index'], record['num_processes']) == (0.95, 255, 1)
    assert (record['classes'][0], record['palette'][0]) == ('road', [128, 64, 128])
    assert {'Python', 'segplug', 'torch'} <= set(record['versions'])
    assert run_record.is_of_these_scores(record, tmp_path / 'out')


def test_server_files_have_no_record(trained, minicity, tiny, tmp_path):
    score(CONFIG, str(trained.checkpoint), options=tiny, data_root=str(minicity),
          work_dir=str(tmp_path / 'work'), out=str(tmp_path / 'out'), format_only=True)
    assert not (tmp_path / 'out' / 'run.json').exists()


def test_scores_that_changed_since_are_not_those_of_the_record(tmp_path):
    (tmp_path / 'metrics.json').write_text('{"mIoU": 1.0}')
    run_record.write(tmp_path, made_by='a test')
    record = run_record.read(tmp_path)
    assert list(record['scores']) == ['metrics.json']
    assert run_record.is_of_these_scores(record, tmp_path)
    (tmp_path / 'metrics.json').write_text('{"mIoU": 2.0}')
    assert not run_record.is_of_these_scores(record, tmp_path)


def test_what_is_not_known_is_none(tmp_path):
    assert run_record.read(tmp_path) is None
    (tmp_path / 'run.json').write_text('{"made_by": "hand"}')
    record = run_record.read(tmp_path)
    assert record['made_by'] == 'hand'
    assert {value for key, value in record.items() if key != 'made_by'} == {None}


@pytest.mark.parametrize('text', ['', '[1]', '{"classes": "road"}', '{"level": {}}', '[' * 100000,
                                  '{"config": []}', '\ud800', '{"scales": [1, "x"]}',
                                  '{"scales": [1e999]}', '{"checkpoint": {"file": 5}}',
                                  '{"config": {"test_dataloader": 5}}',
                                  '{"config": {"test_dataloader": {"dataset": [1]}}}',
                                  '{"files": {"a": [1, 2]}}', '{"files": {"a": "bc"}}'])
def test_a_damaged_record_is_said(tmp_path, text):
    (tmp_path / 'run.json').write_text(text, errors='surrogatepass')
    with pytest.raises(DataError, match='run.json.*To mend it: delete it'):
        run_record.read(tmp_path)


def test_colours_may_be_an_array():
    labelling = Labelling('a plugin', dict(classes=('a', 'b'), palette=np.array([[1, 2, 3]] * 2)),
                          255)
    found = run_record.of_files(labelling, [], {}, [IoUMetric()], None, None)
    assert found['palette'] == [[1, 2, 3], [1, 2, 3]]


def test_an_address_is_a_name_only():
    assert run_record.file_facts('https://example.org/a.pth') == {
        'file': 'https://example.org/a.pth'}


def test_the_commit_is_that_of_the_working_directory(tmp_path, monkeypatch):
    folder = tmp_path / 'project'
    folder.mkdir()
    monkeypatch.chdir(folder)

    def git(*words):
        return subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *words],
                              check=True, capture_output=True, text=True).stdout.strip()
    run_record.write(folder, made_by='a test')
    assert 'working directory' not in json.loads((folder / 'run.json').read_text())['commits']
    git('init', '-q')
    (folder / 'file').write_text('1')
    git('add', 'file')
    git('commit', '-q', '-m', 'one')
    run_record.write(folder, made_by='a test')
    assert run_record.read(folder)['commits']['working directory'] == git('rev-parse', 'HEAD')
    (folder / 'file').write_text('2')
    run_record.write(folder, made_by='a test')
    assert run_record.read(folder)['commits']['working directory'].endswith('-dirty')
