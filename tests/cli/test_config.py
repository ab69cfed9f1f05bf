"""``segplug config``: what it prints, writes and refuses."""

import subprocess
import sys
from pathlib import Path

from segplug.cli.main import main

CONFIG = 'unet/unet_r18_minicity.py'
TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'misc' / 'print_config.py'


def test_a_line_for_each_value(capsys):
    assert main(['config', CONFIG, '--keys', 'randomness', '--cfg-options',
                 'randomness.seed=3']) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        'randomness.seed = 3               # --cfg-options',
        'randomness.deterministic = False  # _base_/default_runtime.py:14']


def test_the_difference_to_what_was_written(tmp_path, capsys):
    file = tmp_path / 'merged.py'
    assert main(['config', CONFIG, '--no-origin', '--out', str(file), '--cfg-options',
                 'train_cfg.max_iters=7']) == 0
    out = capsys.readouterr().out
    assert f'Written: {file}' in out
    assert 'max_iters=7' in out
    assert main(['config', CONFIG, '--diff', str(file)]) == 0
    out = capsys.readouterr().out
    assert '~ train_cfg.max_iters = 1000 -> 7' in out
    assert out.endswith('# 1 changed, 0 removed, 0 added\n')


def test_a_config_that_is_not_there(capsys):
    assert main(['config', CONFIG, '--diff', 'nothing.py']) == 1
    assert "no config 'nothing.py'" in capsys.readouterr().err


def test_the_tool_takes_mmsegmentations_arguments():
    done = subprocess.run([sys.executable, TOOL, CONFIG, '--graph', '--options',
                           'model.backbone.base_channels=8', 'model.backbone.stem_channels=8',
                           'model.decode_head.in_channels=8,8,16,32,64'],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 'model.backbone.base_channels = 8' in done.stdout
    assert 'EncoderDecoder(' in done.stdout


def test_who_reads_a_few_lines_alone_gets_no_traceback():
    done = subprocess.run(f'{sys.executable} -m segplug.cli.main config {CONFIG} | head -n 2',
                          shell=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ''
    assert len(done.stdout.splitlines()) == 2
