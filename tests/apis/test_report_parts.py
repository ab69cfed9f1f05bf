"""Facts, colours and curves of a report, from what a folder says and from what it does not."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made_folders import PALETTE, config, folder_of_a_test

from segplug.apis.report_parts import (
    Report,
    config_text,
    facts_of,
    palette_of,
    samples_of,
    title_of,
    training_log,
    views_of,
)
from segplug.apis.tested import read_tested
from segplug.errors import ConfigError, DataError
from segplug.visualization.draw import default_palette


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp('parts')
    return folder_of_a_test(root, scales=(0.5, 1), commits=dict(segplug='abc'))


@pytest.fixture
def tested(folder):
    return read_tested(folder)


def changed(tested, **entries):
    return replace(tested, record={**tested.record, **entries})


def test_a_report_is_an_address(tmp_path):
    made = Report(tmp_path / 'a b<.html', ('One <thing>.',))
    assert str(made) == f'One <thing>.\n{tmp_path.as_uri()}/a%20b%3C.html'
    assert made._repr_html_() == (
        f'<p>One &lt;thing&gt;.</p><a href="{tmp_path.as_uri()}/a%20b%3C.html">'
        f'{tmp_path}/a b&lt;.html</a>')


def test_facts(tested):
    facts = {fact.name: fact.lines for fact in facts_of([tested], tested, None)}
    assert facts['Views of an image'] == ('scales 0.5, 1, each with its mirror image',)
    assert facts['Ran on'] == ('CPU, 1 process',)
    assert facts['Versions'] == ('torch 2.0',)
    assert facts['Scores'] == (str(tested.folder),)
    assert facts['Checkpoint'][1].startswith('0.0 MB, SHA-256 ')
    bare = facts_of([tested], replace(tested, record=None), None)
    assert [fact.name for fact in bare] == ['Commands', 'Scores']
    assert views_of(changed(tested, scales=[1.0], flip=False)) == ''
    two = facts_of([], changed(tested, num_processes=2, command=None), None)
    assert [f.lines for f in two if f.name in ('Commands', 'Ran on')] == [('CPU, 2 processes',)]


@pytest.mark.parametrize('palette', [None, [[1, 2, 3]], [[1, 2]] * 3, 'red', [[1, 2, 'x']] * 3])
def test_colours_that_do_not_fit_are_made_up(tested, palette):
    bad, data = changed(tested, palette=palette), SimpleNamespace(metainfo=dict(palette=palette))
    assert palette_of(bad, data) == default_palette(3)
    assert palette_of(bad, SimpleNamespace(metainfo=dict(palette=np.array(PALETTE)))) == PALETTE
    assert palette_of(tested, None) == PALETTE


def test_the_title(tested):
    assert title_of(tested, None) == 'net'  # of nets/net.py
    assert title_of(tested, 'other/mine.py') == 'mine'
    assert title_of(replace(tested, record=None), None) == 'ss'


def test_the_log_of_the_training(tested, folder, tmp_path):
    log, note = training_log(tested)
    assert log.starts == (5, 25)
    checkpoint = folder.parent / 'work' / 'iter_40.pth'
    assert note.startswith(f'From the logs beside {checkpoint}.')
    assert training_log(tested, folder.parent / 'work')[0].curves.keys() == log.curves.keys()
    for file, said in (('gone.pth', 'not on this machine: give the work'), (None, '')):
        log, note = training_log(changed(tested, checkpoint=dict(file=file)))
        assert log is None
        assert said in note
    (tmp_path / 'x.pth').write_text('')
    log, note = training_log(changed(tested, checkpoint=dict(file=str(tmp_path / 'x.pth'))))
    assert (log, note.startswith('There are no curves: ')) == (None, True)
    with pytest.raises(DataError):
        training_log(tested, tmp_path)


def test_what_is_wrong_with_the_samples_is_said_or_raised(tested):
    found, samples, problem = samples_of(tested, None, None, None, None)
    assert (problem, len(found.test_dataloader), samples.ignore_index) == ('', 4, 255)
    gone = changed(tested, config=config(Path('/nowhere')))
    cfg, samples, problem = samples_of(gone, None, None, None, None)
    assert samples is None
    assert problem
    with pytest.raises((ConfigError, DataError)):
        samples_of(gone, None, None, '/elsewhere', None)
    with pytest.raises(ConfigError, match='--image-dir has no effect'):
        samples_of(tested, None, None, None, 'images')


def test_the_config(tested):
    assert "type='BaseSegDataset'" in config_text(tested, None)
    assert config_text(replace(tested, record=None), None) == ''
