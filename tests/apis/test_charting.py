"""Curves as tables, files and data; the tool that bears mmsegmentation's name."""

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import pytest

from segplug.apis import curves
from segplug.apis.charting import run_names
from segplug.apis.curve_text import duration
from segplug.cli.analyze_logs import main as analyze_logs
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError, OutputError

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'analysis_tools' / 'analyze_logs.py'


@pytest.fixture
def work_dir(tmp_path):
    """Two starts: 10, 20 and, resumed from 20, 30."""
    for date, steps in (('20260101_000000', (10, 20)), ('20260102_000000', (30,))):
        file = tmp_path / 'a $run$' / date / 'vis_data' / 'scalars.json'
        file.parent.mkdir(parents=True)
        rows = [dict(loss=s / 10, time=0.5, iter=s, step=s) for s in steps]
        file.write_text('\n'.join(map(json.dumps, [*rows, dict(mIoU=50.5, step=steps[-1])])))
    return tmp_path / 'a $run$'


def test_what_is_printed(work_dir):
    text = str(curves(work_dir))
    assert text.splitlines() == [
        f'a $run$: {work_dir}',
        'begun 2 times; logged from the iterations 10, 30 on',
        '+-------+--------+-------+------+--------+----+---------+----+',
        '| Curve | Values | First | Last | Lowest | at | Highest | at |',
        '+-------+--------+-------+------+--------+----+---------+----+',
        '| loss  |      3 |     1 |    3 |      1 | 10 |       3 | 30 |',
        '| mIoU  |      2 |  50.5 | 50.5 |   50.5 | 20 |    50.5 | 20 |',
        '+-------+--------+-------+------+--------+----+---------+----+',
        '0.5 s per iteration (spread 0; fastest 0.5 at 20, slowest 0.5 at 20), '
        '30 iterations in 15 s']


@pytest.mark.parametrize('kind', ['png', 'jpg', 'pdf', 'svg', 'html', 'csv'])
def test_files(work_dir, tmp_path, kind):
    file = tmp_path / f'new/x.{kind}'
    curves([work_dir, work_dir], out=file, smooth=0.9, log=True)
    if kind in ('png', 'jpg'):
        assert cv2.imread(str(file)).shape[:2] == (960, 1080)  # 2 charts of 7.2 x 3.2 in, 150 dpi
    elif kind == 'pdf':
        assert file.read_bytes().startswith(b'%PDF')
    elif kind == 'csv':
        rows = list(csv.reader(file.read_text().splitlines()))
        assert rows[1] == ['1 a $run$', 'loss', '10', '1.0']
        assert len(rows) == 1 + 2 * 5
    elif kind == 'svg':
        assert len(ET.parse(file).getroot().findall('{*}svg')) == 2
    else:
        page = file.read_text()
        assert page.count('<svg class="chart"') == 2
        assert 'a $run$' in page


def test_what_cannot_be_written_is_said(work_dir, tmp_path):
    with pytest.raises(ConfigError, match=r"Got: the ending '.txt'. Expected: a file that ends in "
                                          r"\.png, "):
        curves(work_dir, out=tmp_path / 'x.txt')
    with pytest.raises(ConfigError, match='Got: a folder'):
        curves(work_dir, out=tmp_path)
    (tmp_path / 'file').touch()
    with pytest.raises(OutputError, match='cannot be written'):
        curves(work_dir, out=tmp_path / 'file' / 'x.csv')


def test_a_notebook_shows_the_charts(work_dir):
    html = curves(work_dir)._repr_html_()
    assert html.count('role="img"') == 2
    assert '>a $run$' in html
    assert 'background:#fff' in html  # whatever the notebook's theme


def test_names_are_what_differs():
    assert run_names(['w/a/1/vis_data/scalars.json', 'w/b/2/vis_data/scalars.json']) == [
        'a/1', 'b/2']
    assert run_names(['w/a', 'w/b']) == ['a', 'b']
    assert run_names(['w/a', 'w/a']) == ['1 a', '2 a']
    assert run_names(['w/a', 'w/a/b']) == ['a', 'a/b']
    assert run_names(['w/a/vis_data']) == ['a']


def test_other_settings_that_do_not_fit(work_dir):
    with pytest.raises(ConfigError, match='no run'):
        curves([])
    with pytest.raises(ConfigError, match='names do not fit'):
        curves(work_dir, names=['a', 'b'])
    with pytest.raises(DataError, match='There is no'):
        curves(work_dir / 'x')


def test_durations():
    assert [duration(s) for s in (45.2, 720, 7500, 360_000)] == [
        '45 s', '12 min', '2 h 05 min', '100 h 00 min']


def test_the_verb(work_dir, tmp_path, capsys):
    out, data = tmp_path / 'x.svg', tmp_path / 'x.json'
    assert main(['curves', str(work_dir), '--keys', 'loss', '--out', str(out), '--json', str(data)
                 ]) == 0
    assert f'Written to {out}' in capsys.readouterr().out
    found = json.loads(data.read_text())[0]
    assert found['curves'] == {'loss': dict(iterations=[10, 20, 30], values=[1, 2, 3])}
    assert (found['starts'], found['time']['mean']) == ([10, 30], 0.5)
    assert main(['curves', str(work_dir), '--json', '-', '--out', str(out)]) == 0
    json.loads(capsys.readouterr().out)
    assert main(['curves', str(work_dir), '--keys', 'nothing']) == 1


@pytest.mark.parametrize('command', [[], ['plot_curve']])
def test_arguments_of_mmsegmentation(work_dir, tmp_path, capsys, command):
    log, out = str(work_dir / '20260101_000000/vis_data/scalars.json'), str(tmp_path / 'x.png')
    assert analyze_logs([*command, log, log, '--keys', 'mIoU', 'loss', '--legend', '1', '2', '3',
                         '4', '--title', 'a title', '--style', 'dark', '--out', out]) == 0
    assert cv2.imread(out) is not None
    assert analyze_logs([*command, log]) == 1
    assert 'No window can be opened here. Got: the backend' in capsys.readouterr().err
    assert analyze_logs([*command, log, '--backend', 'nonsense']) == 1


def test_times_of_iterations(work_dir, capsys):
    assert analyze_logs(['cal_train_time', str(work_dir), '--include-outliers']) == 0
    assert '0.5 s per iteration' in capsys.readouterr().out


def test_the_tool_is_a_file(work_dir, tmp_path):
    done = subprocess.run([sys.executable, str(TOOL), '--help'], cwd=tmp_path, text=True,
                          capture_output=True, check=True)
    assert 'cal_train_time' in done.stdout
