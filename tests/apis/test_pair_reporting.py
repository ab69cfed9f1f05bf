"""`segplug report A B`: what is compared, what is shown, and what is said where something lacks."""

import json
import re
import shutil

import pytest
from made_folders import PALETTE, config, folder_of_a_test

from segplug.apis import report_pair
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError, OutputError


def text_of(made):
    return made.path.read_text(encoding='utf-8')


@pytest.fixture
def runs(tmp_path):
    other = {**config(tmp_path, palette=PALETTE, img_suffix='.png'), 'optim_wrapper': dict(lr=0.5)}
    return (folder_of_a_test(tmp_path, 'a'),
            folder_of_a_test(tmp_path, 'b', wrong=0.02, config=other, config_file='nets/other.py'))


def test_the_page(runs):
    made = report_pair(*runs, num=3)
    page = text_of(made)
    assert made.path == runs[1] / 'comparison.html'
    assert made.remarks == ()
    assert '<h1>net and other</h1>' in page
    assert page.count('<figure') == 3
    assert re.search(r'<code>optim_wrapper\.lr</code></th><td><span class="muted">not set', page)
    assert 'Both are of one training. From the logs beside' in page
    assert page.count('role="img"') == 2 + 3, 'classes, images; loss, lr, mIoU'
    assert 'segplug test net.py' in page


def test_two_trainings_share_their_charts(runs, tmp_path):
    work = tmp_path / 'work2'
    shutil.copytree(tmp_path / 'work', work)
    record = json.loads((runs[1] / 'run.json').read_text())
    record['checkpoint']['file'] = str(work / 'iter_40.pth')
    (runs[1] / 'run.json').write_text(json.dumps(record))
    page = text_of(report_pair(*runs))
    assert '>A a</text>' in page
    assert '>B b</text>' in page
    assert page.count('From the logs beside') == 2


def test_the_same_seed_gives_the_same_page(runs):
    assert text_of(report_pair(*runs)) == text_of(report_pair(*runs))


def test_without_records_there_are_scores(tmp_path):
    a = folder_of_a_test(tmp_path, 'a', record=False)
    b = folder_of_a_test(tmp_path, 'b', record=False, wrong=0.5)
    made = report_pair(a, b)
    assert [remark[:27] for remark in made.remarks] == [
        'There are no pictures of A:', 'There are no pictures of B:']
    assert 'give it with --config' in made.remarks[0]
    page = text_of(made)
    assert 'The config of A and B is not known' in page
    assert '<figure' not in page
    (tmp_path / 'net.py').write_text('\n'.join(
        f'{key} = {value!r}' for key, value in config(tmp_path, img_suffix='.png').items()))
    made = report_pair(a, b, config=str(tmp_path / 'net.py'))
    assert made.remarks == ()
    assert text_of(made).count('<figure') == 6


def test_a_prediction_that_was_changed_is_not_shown(runs):
    file = next((runs[1] / 'predictions').rglob('*.png'))
    shutil.copy(next((runs[0] / 'predictions').rglob('*_5.png')), file)
    page = text_of(report_pair(*runs))
    assert page.count('Not shown: The label or the prediction of') == 1
    assert page.count('<figure') == 6


def test_runs_over_other_data_are_no_comparison(runs, tmp_path, capsys):
    other = folder_of_a_test(tmp_path / 'other', 'c', num=3)
    with pytest.raises(DataError, match='The two runs are of different images'):
        report_pair(runs[0], other)
    assert main(['report', str(runs[0]), str(other)]) == 1
    assert main(['report', str(runs[0]), str(tmp_path / 'none')]) == 1
    assert 'There is no folder' in capsys.readouterr().err


def test_the_verb(runs, tmp_path, capsys):
    out = tmp_path / 'deep' / 'page.html'
    given = ['report', *map(str, runs)]
    assert main([*given, '--out', str(out), '--num', '2']) == 0
    assert capsys.readouterr().out.strip().endswith(out.as_uri())
    assert out.read_text().count('<figure') == 2
    assert main([*given, '--with', str(runs[0])]) == 1
    assert '--with is for the report of one test' in capsys.readouterr().err


def test_where_it_cannot_be_written(runs, tmp_path):
    with pytest.raises(ConfigError, match='is a folder'):
        report_pair(*runs, out=tmp_path)
    (tmp_path / 'file').touch()
    with pytest.raises(OutputError, match='could not be written'):
        report_pair(*runs, out=tmp_path / 'file' / 'page.html')
    with pytest.raises(OutputError, match='File name too long'):
        report_pair(*runs, out=tmp_path / ('x' * 300))
