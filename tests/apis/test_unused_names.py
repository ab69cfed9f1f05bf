"""Variables that are set anew in a child, or by an option, after their base has read them."""

import pytest

from segplug.apis.config import load_config, read_config
from segplug.apis.places import shipped_configs
from segplug.apis.unused_names import unused_names

BASE = """
crop_size = (192, 192)
steps = [dict(type='RandomCrop', crop_size=crop_size)]
train_dataloader = dict(dataset=dict(pipeline=steps))
other = 3
"""


@pytest.fixture
def told(tmp_path):
    """What is said of a child of BASE."""
    def of(child, options=None):
        (tmp_path / 'base.py').write_text(BASE)
        path = tmp_path / 'child.py'
        path.write_text("_base_ = './base.py'\n" + child)
        return [sentence.replace(f'{tmp_path}/', '')
                for sentence in unused_names(load_config(path, options=options), options)]
    return of


def test_a_variable_of_the_base_that_is_set_anew(told):
    assert told('crop_size = (128, 128)') == [
        "'crop_size', set anew in child.py:2, does not change train_dataloader, which base.py has "
        "made of its own 'crop_size' already; set that anew."]
    assert told('steps = []\ncrop_size = 3')[0].startswith("'steps', set anew in child.py:2, does")


def test_an_option_that_names_a_variable(told):
    said, = told('', dict(crop_size=(128, 128)))
    assert said.startswith('--cfg-options crop_size=(128, 128) does not change train_dataloader, ')
    assert not told('', {'train_dataloader.dataset.pipeline.0.crop_size': 3, 'work_dir': 'x'})


@pytest.mark.parametrize('child', [
    'crop_size = (192, 192)',  # as it was
    'crop_size = 3\nmodel = dict(size=crop_size)',  # read here
    'crop_size = 3\nmodel = dict(size=_base_.crop_size)',
    'other = 4',  # nothing is made of it in the base either
    'own = 4', "train_dataloader = dict(batch_size=2)"])
def test_what_may_have_an_effect_is_left_in_peace(told, child):
    assert not told(child)


def test_a_grandchild_that_reads_it_too(tmp_path, told):
    assert told('crop_size = 3')
    (tmp_path / 'grandchild.py').write_text(
        "_base_ = './child.py'\nmodel = dict(size=_base_.crop_size)")
    assert not list(unused_names(read_config(tmp_path / 'grandchild.py')))


def test_no_shipped_config_has_one():
    paths = [path for path in sorted(shipped_configs().rglob('*.py')) if '_base_' not in path.parts]
    assert len(paths) > 90
    assert not [sentence for path in paths[::3] for sentence in unused_names(read_config(path))]
