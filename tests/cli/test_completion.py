"""What a shell is offered, asked as argcomplete's shell code asks."""

import argparse
import importlib.util
import os
import subprocess
import sys

import pytest

from segplug.cli.completion import shipped
from segplug.cli.main import VERBS
from tools.docs_site.verbs import parser_of

pytestmark = pytest.mark.skipif(importlib.util.find_spec('argcomplete') is None,
                                reason="argcomplete is not installed: segplug[completion]")


def offered(line, tmp_path):
    """The words that complete ``line``; also what was imported for them."""
    answers = tmp_path / 'answers'
    env = {**os.environ, '_ARGCOMPLETE': '1', 'COMP_LINE': line, 'COMP_POINT': str(len(line)),
           'COMP_TYPE': '9', '_ARGCOMPLETE_STDOUT_FILENAME': str(answers),
           '_ARGCOMPLETE_IFS': '\n', '_ARGCOMPLETE_SUPPRESS_SPACE': '1'}
    code = ("import sys, atexit; from segplug.cli.main import main; import os; "
            "exit_ = os._exit; os._exit = lambda code: (print('torch' in sys.modules), exit_(code)"
            " if sys.stdout.flush() is None else None); main([])")
    done = subprocess.run([sys.executable, '-c', code], env=env, text=True, cwd=tmp_path,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [word.strip() for word in answers.read_text().split('\n')], done.stdout.strip()


def test_verbs_flags_choices_and_configs(tmp_path):
    (tmp_path / 'mine.py').write_text('')
    verbs, imported = offered('segplug tr', tmp_path)
    assert (verbs, imported) == (['train'], 'False')
    flags, _ = offered('segplug predict --ov', tmp_path)
    assert flags == ['--overwrite']
    choices, _ = offered('segplug predict --probs ', tmp_path)
    assert {'npz', 'png16'} <= set(choices)
    configs, imported = offered('segplug train unet/unet_r18_mini', tmp_path)
    assert (configs, imported) == (['unet/unet_r18_minicity.py'], 'False')
    mine, _ = offered('segplug train m', tmp_path)
    assert {'mine.py', 'mobilenet_v2/'} <= set(mine)


def test_verbs_below_verbs_and_flags_that_take_names(tmp_path):
    below, _ = offered('segplug plugins ', tmp_path)
    assert {'list', 'check', 'new'} <= set(below)
    names, imported = offered('segplug plugins check a --config unet/unet_r18_mini', tmp_path)
    assert (names, imported) == (['unet/unet_r18_minicity.py'], 'False')
    other, _ = offered('segplug config a.py --diff unet/unet_r18_mini', tmp_path)
    assert other == ['unet/unet_r18_minicity.py']
    trackers, imported = offered('segplug train --track w', tmp_path)
    assert (trackers, imported) == (['wandb'], 'False')
    splits, _ = offered('segplug stats a.py --splits ', tmp_path)
    assert {'train', 'val', 'test'} <= set(splits)


def test_every_verb_is_offered(tmp_path):
    assert set(VERBS) <= set(offered('segplug ', tmp_path)[0])


@pytest.mark.parametrize('verb', sorted(VERBS))
def test_every_flag_is_offered(verb, tmp_path):
    flags, imported = offered(f'segplug {verb} --', tmp_path)
    wanted = {flag for action in parser_of(verb)._actions for flag in action.option_strings
              if flag.startswith('--') and action.help != argparse.SUPPRESS}
    assert (wanted - set(flags), imported) == (set(), 'False')


def test_shipped_configs_come_folder_by_folder():
    assert 'unet/' in shipped('u')
    assert all(name.endswith('/') for name in shipped(''))
    assert 'unet/unet_r18_minicity.py' in shipped('unet/')
    assert not shipped('_base_')
