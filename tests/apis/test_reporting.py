"""`segplug report`: which folders, which pictures, which log; what the page lacks, in sentences."""

import json
import re
import shutil

import numpy as np
import pytest
from made_folders import folder_of_a_test

from segplug.apis import report
from segplug.apis.reporting import chosen
from segplug.apis.tested import read_tested
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError, OutputError

CONFIG = 'unet/unet_r18_minicity.py'


def text_of(made):
    return made.path.read_text(encoding='utf-8')


def test_the_page_is_in_the_folder_and_has_an_address(tmp_path):
    out = folder_of_a_test(tmp_path)
    made = report(out)
    assert made.path == out / 'report.html'
    assert str(made) == (out / 'report.html').as_uri()
    assert made.remarks == ()
    page = text_of(made)
    mean = json.loads((out / 'metrics.json').read_text())['mIoU']
    assert f'data-value="{mean!r}"' in page
    assert page.count('<figure') == 6
    assert 'From the logs beside' in page
    assert str(made.path) in made._repr_html_()
    assert not list(out.glob('.*'))


def test_the_other_way_of_testing_is_found_beside(tmp_path, monkeypatch):
    out, multi = folder_of_a_test(tmp_path), folder_of_a_test(
        tmp_path, 'ms', scales=(0.5, 1), wrong=0.05)
    folder_of_a_test(tmp_path, 'of_another_checkpoint', scales=(0.5, 1), checkpoint=dict(
        file='x.pth', sha256='0'))
    folder_of_a_test(tmp_path, 'older', record=False)
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / 'run.json').write_text('{')
    for one, main_mode in ((out, 'single-scale'), (multi, 'multi-scale')):
        page = text_of(report(one))
        assert re.findall(r'data-mode="([^"]*)"', page) == ['single-scale', 'multi-scale']
        assert f'is of the {main_mode} test' in page
    monkeypatch.chdir(out / 'predictions')
    assert 'data-mode="multi-scale"' in text_of(report('..'))
    folder_of_a_test(tmp_path, 'ms2', scales=(2, 1))
    made = report(out)
    assert made.remarks == (
        'Several folders beside this one are multi-scale tests of the same checkpoint (ms, ms2): '
        'choose one with --with.',)
    assert report(out, also=multi).remarks == ()


def test_with_a_folder_of_another_test(tmp_path):
    out = folder_of_a_test(tmp_path / 'a')
    other = folder_of_a_test(tmp_path / 'b', checkpoint=dict(file='x.pth', sha256='0'))
    with pytest.raises(DataError, match=r'two checkpoints.*segplug report .* compares'):
        report(out, also=other)
    with pytest.raises(DataError, match='different images'):
        report(out, also=folder_of_a_test(tmp_path / 'c', num=3))


def test_a_folder_without_a_record_still_has_a_page(tmp_path, write, minicity):
    out = folder_of_a_test(tmp_path, record=False)
    made = report(out)
    assert len(made.remarks) == 1
    assert 'no run.json' in made.remarks[0]
    page = text_of(made)
    assert '<figure' not in page
    assert 'no run.json' in page
    assert text_of(report(out, training=tmp_path / 'work')).count('class="chart"') == 5
    config = write('net.py', f"""
        model = dict(data_preprocessor=dict(bgr_to_rgb=True))
        test_dataloader = dict(batch_size=1, num_workers=0, dataset=dict(
            type='BaseSegDataset', data_root='{tmp_path / 'data'}', test_mode=True,
            data_prefix=dict(img_path='img', seg_map_path='ann'), img_suffix='.png',
            metainfo=dict(classes=('road', 'sky', 'car')),
            pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                      dict(type='PackSegInputs')]),
            sampler=dict(type='DefaultSampler', shuffle=False))
        """)
    made = report(out, config=str(config))
    assert text_of(made).count('<figure') == 6
    with pytest.raises(DataError, match='not the one that'):
        report(out, config=CONFIG, data_root=str(minicity))


def test_pictures_that_are_not_there_are_told(tmp_path):
    out = folder_of_a_test(tmp_path)
    (tmp_path / 'data/img/town/street_1.png').write_bytes(b'')
    page = text_of(report(out))
    assert page.count('<img class="image"') == 5
    assert 'street_1.png is empty' in page
    shutil.rmtree(tmp_path / 'data')
    made = report(out)
    assert made.remarks[0].startswith('There are no pictures: BaseSegDataset')
    assert '<figure' not in text_of(made)


@pytest.mark.parametrize(('num', 'count'), [(0, 0), (1, 1), (3, 3), (100, 6)])
def test_as_many_pictures_as_asked_for(tmp_path, num, count):
    assert text_of(report(folder_of_a_test(tmp_path), num=num)).count('<figure') == count


def test_the_worst_and_those_around_the_median():
    scores = np.array([5., np.nan, 1., 9., 2., 7., 8.])  # 1 2 5 7 8 9, the median is 6
    assert chosen(scores, 4) == ([2, 4], [0, 5])
    assert chosen(scores, 3) == ([2, 4], [0])
    assert chosen(scores, 10) == ([2, 4, 0], [5, 6, 3])
    assert chosen(scores, 0) == ([], [])
    assert chosen(np.array([np.nan]), 4) == ([], [])


def rename_checkpoint(file, name):
    record = json.loads(file.read_text())
    record['checkpoint']['file'] = name
    file.write_text(json.dumps(record))


@pytest.mark.parametrize(('change', 'says'), [
    (lambda root: (root / 'work/iter_40.pth').unlink(), 'is not on this machine'),
    (lambda root: rename_checkpoint(root / 'ss/run.json', 'x' * 5000), 'is not on this machine'),
    (lambda root: [shutil.rmtree(p) for p in (root / 'work').iterdir() if p.is_dir()],
     'There are no curves'),
    (lambda root: next((root / 'work').rglob('scalars.json')).write_text('{\n{\n'),
     'scalars.json:1 is no line of a log')])
def test_curves_that_are_not_there_are_told(tmp_path, change, says):
    out = folder_of_a_test(tmp_path)
    change(tmp_path)
    page = text_of(report(out))
    assert says in page
    assert '--training' in page


def test_settings_that_cannot_be(tmp_path):
    out = folder_of_a_test(tmp_path)
    with pytest.raises(ConfigError, match='number of images'):
        report(out, num=-1)
    with pytest.raises(ConfigError, match=r'is a folder.*report.html'):
        report(out, out=tmp_path)
    with pytest.raises(DataError, match='no log'):
        report(out, training=tmp_path / 'data')
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='could not be written'):
        report(out, out=tmp_path / 'file' / 'x.html')
    with pytest.raises(OutputError, match=r'could not be written\. Got: File name too long'):
        report(out, out=tmp_path / ('x' * 300))


def test_the_command_line(tmp_path, capsys):
    out = folder_of_a_test(tmp_path)
    capsys.readouterr()
    file = tmp_path / 'pages' / 'ä b.html'
    assert main(['report', str(out), '--out', str(file), '--num', '2']) == 0
    assert capsys.readouterr().out == f'{file.as_uri()}\n'
    assert main(['report', str(tmp_path / 'data')]) == 1
    assert re.match(r'DataError: .* holds no per_image.csv\. Expected: .*\n$',
                    capsys.readouterr().err)


def test_a_test_writes_its_report(trained, minicity, options, tmp_path, capsys):
    words = ['test', CONFIG, str(trained.checkpoint), '--data-root', str(minicity),
             '--work-dir', str(tmp_path / 'work'), *options, '--report']
    assert main(words) == 1
    assert '--report needs the scores in a folder. To mend it: add --out' in capsys.readouterr().err
    out = tmp_path / 'scores'
    assert main([*words[:3], '--out', str(out), *words[3:]]) == 0
    assert capsys.readouterr().out.rstrip().endswith((out / 'report.html').as_uri())
    page = (out / 'report.html').read_text()
    assert page.count('<img class="image"') == len(read_tested(out).images.files) == 3
    assert f'segplug test {CONFIG}' in page
    assert 'From the logs beside' in page
