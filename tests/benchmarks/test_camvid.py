"""The parts of the CamVid report that can be wrong without a training."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture
def camvid(monkeypatch, repo_root):
    folder = repo_root / 'benchmarks'
    monkeypatch.setattr(sys, 'path', [str(folder), *sys.path])
    spec = importlib.util.spec_from_file_location('camvid_report', folder / 'camvid.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_minutes_are_those_between_the_first_and_the_last_line(camvid):
    log = ('2026/01/31 23:50:00 - mmengine - INFO - a\nno time here\n'
           '2026/02/01 00:14:30 - mmengine - INFO - b\n')
    assert camvid.minutes(log) == 24.5


def test_folders_of_the_machine_leave_the_log(camvid, tmp_path):
    log = ('  - Build settings: CXX_COMPILER=/somewhere/c++\n'
           f'saved to {tmp_path}/run/iter_1.pth from {tmp_path}')
    assert camvid.without_places(log, (tmp_path / 'run', 'WORK_DIR'), (Path(tmp_path), 'DATA')) \
        == 'saved to WORK_DIR/iter_1.pth from DATA'


def test_the_table_has_a_row_per_mean_and_class(camvid):
    scores = {'mIoU': 50.0, 'mAcc': 60.0, 'aAcc': 70.0, 'IoU.sky': 90.126, 'Acc.sky': 95.0}
    assert camvid.score_table(scores, scores).splitlines()[2:] == [
        '| mIoU | 50.00 | 50.00 |', '| mAcc | 60.00 | 60.00 |', '| aAcc | 70.00 | 70.00 |',
        '| sky | 90.13 | 90.13 |']
