"""Flags of the test that change how it is done or what it says; the scores are in test_test.py."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from segplug.apis.testing import test as score
from segplug.cli.main import main
from segplug.errors import ConfigError

CONFIG = 'unet/unet_r18_minicity.py'


def log_of(folder) -> str:
    return ''.join(file.read_text() for file in sorted(Path(folder).rglob('*.log')))


def test_aug_test_without_a_section_takes_the_standard_scales_and_says_so(trained, minicity, tiny,
                                                                          tmp_path):
    options = {**tiny, 'aug_test_cfg': None}
    score(CONFIG, str(trained.checkpoint), options=options, data_root=str(minicity),
          work_dir=str(tmp_path), aug_test=True)
    log = log_of(tmp_path)
    assert 'no aug_test_cfg; --aug-test uses the standard one' in log
    assert '0.5, 0.75, 1.0, 1.25, 1.5, 1.75' in log


def test_speed_flags_keep_the_labels(trained, minicity, options, tmp_path, capsys):
    outs = []
    for name, flags in (('plain', []), ('fast', ['--channels-last', '--amp', 'bf16'])):
        outs.append(tmp_path / name)
        code = main(['test', CONFIG, str(trained.checkpoint), '--data-root', str(minicity), '--out',
                     str(outs[-1]), '--work-dir', str(tmp_path / f'{name}.work'), *flags, *options])
        assert code == 0, capsys.readouterr().err
    assert "amp='bf16', channels_last=True" in log_of(tmp_path / 'fast.work')
    pairs = [(cv2.imread(str(outs[0] / 'predictions' / p.name), -1), cv2.imread(str(p), -1))
             for p in (outs[1] / 'predictions').glob('*.png')]
    assert len(pairs) == 3
    # After two iterations of training many classes are nearly equally likely.
    assert np.mean([np.mean(a == b) for a, b in pairs]) > 0.97


def test_the_worst_images_are_named(trained, minicity, options, tmp_path, capsys):
    arguments = ['test', CONFIG, str(trained.checkpoint), '--data-root', str(minicity),
                 '--work-dir', str(tmp_path), '--out', str(tmp_path / 'out')]
    assert main([*arguments, '--worst', '2', *options]) == 0, capsys.readouterr().err
    rows = (tmp_path / 'out' / 'per_image.csv').read_text().splitlines()
    column = rows[0].split(',').index('mIoU')
    lowest = min((row.split(',') for row in rows[1:]), key=lambda row: float(row[column]))[0]
    table = log_of(tmp_path).split('lowest mIoU')[1]
    assert Path(lowest).stem in table
    assert main([*arguments, '--worst', '-1', *options]) == 1
    assert 'num_worst' in capsys.readouterr().err


def test_worst_needs_a_metric_that_names_images(trained, tiny, minicity, tmp_path):
    options = {**tiny, 'test_evaluator': dict(type='DumpResults', out_file_path='x.pkl')}
    with pytest.raises(ConfigError, match='No metric .* names images.*DumpResults.*--worst'):
        score(CONFIG, str(trained.checkpoint), options=options, data_root=str(minicity),
              work_dir=str(tmp_path), worst=3)


@pytest.mark.slow
@pytest.mark.parametrize('aug_test', [False, True])
def test_no_speed_setting_moves_the_score_of_the_quickstart(repo_root, tmp_path, aug_test):
    """By more than 0.05 of mIoU, the model being trained and the images those of its test."""
    checkpoint, data = repo_root / 'work_dirs/quickstart/iter_1000.pth', repo_root / 'data/minicity'
    if not (checkpoint.is_file() and data.is_dir()):
        pytest.skip('needs what tools/quickstart.sh makes')
    settings = [dict(), dict(amp='bf16'), dict(channels_last=True), dict(compile=True),
                dict(amp='bf16', channels_last=True, compile=True)]
    plain, *fast = (score(CONFIG, str(checkpoint), data_root=str(data), work_dir=str(tmp_path),
                          aug_test=aug_test, speed=one)['mIoU'] for one in settings)
    assert fast == pytest.approx([plain] * len(fast), abs=0.05)
