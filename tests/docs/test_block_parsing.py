"""What parsing a block finds: wrong flags, keys, files, components and configs."""

import block_parsing
import pytest
from blocks import Block, commands


def parse(text, folder, language='bash'):
    block_parsing.check(Block('a.md', 1, language, text, 'parse'), folder)


@pytest.mark.parametrize('text', [
    'segplug train CONFIG --amp --cfg-options train_dataloader.batch_size=4',
    'NNODES=2 bash tools/dist_train.sh CONFIG 4 --resume',
    'GPUS=8 bash tools/slurm_test.sh gpu job CONFIG CHECKPOINT --aug-test',
    'python tools/test.py CONFIG CHECKPOINT --out DIR',
    "pip install 'segplug[fast,timm]'", 'python -m segplug.compat.mmseg tools/train.py',
    'python tests/fuzz/fuzz.py --count 3 --only 17',
    'bash tools/run_tests.sh tests/ops -x', 'segplug plugins list', 'segplug zoo --help'])
def test_what_is_right_passes(text, tmp_path):
    parse(text, tmp_path)


@pytest.mark.parametrize(('text', 'said'), [
    ('segplug learn CONFIG', "no verb 'learn'"),
    ('segplug train CONFIG --ampp', 'unrecognized arguments: --ampp'),
    ('segplug train unet/no_such_config.py', 'no_such_config'),
    ('segplug train CONFIG --cfg-options train_dataloder.batch_size=4', 'train_dataloder'),
    ('segplug score a', 'the following arguments are required'),
    ('bash tools/dist_train.sh CONFIG four', "'four' is no number of processes"),
    ('bash tools/no_such.sh', 'tools/no_such.sh is not in the repository'),
    ('bash tools/run_tests.sh tests/no_such', 'tests/no_such is not in the repository'),
    ('python tests/fuzz/fuzz.py --counts 3', 'has no flag --counts'),
    ('python -m segplug.no_such', 'no module segplug.no_such'),
    ("pip install 'segplug[quick]'", "no extra 'quick'"),
    ('make everything', "'make' is no command")])
def test_what_is_wrong_is_told(text, said, tmp_path):
    with pytest.raises((ValueError, KeyError, block_parsing.WrongFlags), match=said):
        parse(text, tmp_path)


@pytest.mark.parametrize(('text', 'said'), [
    ("loss = dict(type='DiceLoss', smoth=1)", "has no argument 'smoth'"),
    ("loss = [dict(type='DiseLoss', ...)]", "no component 'DiseLoss'"),
    ("_base_ = 'segplug::unet/none.py'", 'does not exist'),
    ("model = dict(type='EncoderDecoder', ...", 'never closed')])
def test_a_wrong_part_of_a_config_is_told(text, said, tmp_path):
    with pytest.raises((ValueError, SyntaxError), match=said):
        parse(text, tmp_path, 'python')


def test_parts_of_configs_may_leave_out_the_rest(tmp_path):
    parse("a = dict(type='DiceLoss', ...)\nb = [dict(type='Pad', size=(1, 2), ...), ...]",
          tmp_path, 'python')


def test_quotes_may_hold_several_lines():
    assert commands('segplug a \\\n  "b\nc" # d')[0] == ['segplug', 'a', 'b\nc']
