"""Published configs with all they say: pipelines of all 568, and a few of them run whole.

What test_zoo.py holds of models, this holds of the rest. `published.py` runs every config.
"""

import numpy as np
import pytest
from made_up_data import SIZE, STEMS, labels, leaves, make
from mmengine.config import Config
from mmengine.registry import DefaultScope
from observe import read
from one_step import Steps, plain, tiny
from page import PAGE, table_in
from published import Family, fares, run, table

from segplug.datasets import BaseSegDataset
from segplug.datasets.pipeline import Pipeline
from segplug.registry import SCOPE

CONFIGS = read('configs')
SLOW = {'danet', 'hrnet', 'pidnet', 'upernet'}  # seconds each


@pytest.fixture
def pipelines():
    """Read anew each time: mmcv's TestTimeAug writes into what it is given."""
    return read('pipelines')


@pytest.fixture
def scope():
    with DefaultScope.overwrite_default_scope(SCOPE):
        yield


@pytest.mark.parametrize('split', ['train', 'val', 'test', 'tta'])
def test_every_pipeline_builds(split, pipelines, scope):
    own = [entry for entry in pipelines if entry['split'] == split]
    # 22 configs have no tta_pipeline.
    assert sum(entry['count'] for entry in own) == (546 if split == 'tta' else 568)
    for entry in own:
        for step in entry['pipeline']:  # a name that mmengine has given up: migrate drops it
            step.pop('file_client_args', None)
        made = Pipeline(entry['pipeline']).transforms
        assert len(made) == len(entry['pipeline']), entry['config']


@pytest.mark.parametrize('split', ['train', 'test', 'tta'])
def test_the_commonest_pipeline_runs(split, pipelines, scope):
    """Of tta: six scales, each with its mirror image."""
    entry = max((entry for entry in pipelines if entry['split'] == split),
                key=lambda entry: entry['count'])
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    steps = [step for step in entry['pipeline'] if not step['type'].startswith('Load')]
    if split == 'tta':
        steps[0]['transforms'] = [group for group in steps[0]['transforms']
                                  if not group[0]['type'].startswith('Load')]
    results = dict(img=image, gt_seg_map=labels(rng, 0, 5), img_shape=SIZE, ori_shape=SIZE,
                   img_path='', seg_map_path='', reduce_zero_label=False,
                   seg_fields=['gt_seg_map'])
    found = Pipeline(steps)(results)
    assert (len(found['inputs']) == 12) if split == 'tta' else (found['inputs'].ndim == 3)


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=pytest.mark.slow if name.split('/')[0] in SLOW else ())
    for name in CONFIGS])
def test_a_config_trains_and_tests(name, tmp_path):
    """Written to one file, as mmengine dumps it; the one with a misspelt key has to be migrated."""
    config = tmp_path / 'config.py'
    Config(CONFIGS[name]).dump(config)
    what, why = fares(config, Steps(tmp_path / 'data'), tmp_path)
    assert why is None
    assert what == ('migrated' if 'models' in CONFIGS[name] else 'as is')


def test_the_table_of_the_page():
    """It is made by hand of `published.py`, which takes minutes; its sum is known."""
    *rows, total = [line.strip('| ').split(' | ')
                    for line in table_in(PAGE.read_text(), 'published').splitlines()[2:]]
    assert len(rows) == 35
    assert total == ['all', '568', '560', '8', '0']


def test_a_table_says_what_fails_and_why():
    found = table({'b': Family(as_is=2, failed={'b/x.py': 'model: no'}), 'a': Family(migrated=1)})
    assert found.splitlines()[2:] == [
        '| a | 1 | 0 | 1 | 0 |', '| b | 3 | 2 | 0 | 1 |', '| all | 4 | 2 | 1 | 1 |', '',
        '- 1 do not: model: no']


def test_a_run_goes_on_where_it_stopped(tmp_path):
    """The only config of this folder was run before: nothing is run, there is not even a file."""
    results = tmp_path / 'results'
    results.write_text('["a/x.py", "failed", "no"]\n["a/x.py", "as is", null]\n')
    assert run(tmp_path, ['a/x.py'], results) == {'a': Family(as_is=1)}


def test_a_made_up_tree_is_read_by_its_data_set(tmp_path):
    """Three classes and label 0 that is none: what is read is 0, 1, 2 and 255."""
    leaf = dict(type='BaseSegDataset', data_root='somewhere/', ann_file='lists/names.txt',
                img_suffix='_i.png', seg_map_suffix='_l.png', reduce_zero_label=True,
                metainfo=dict(classes=('a', 'b', 'c')),
                data_prefix=dict(img_path='i', seg_map_path='l'))
    assert [*leaves(dict(type='RepeatDataset', dataset=leaf))] == [leaf]
    make(leaf, tmp_path)
    made = BaseSegDataset(pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')],
                          **{key: value for key, value in leaf.items() if key != 'type'})
    assert len(made) == len(STEMS)
    assert set(np.unique(made[0]['gt_seg_map'])) == {0, 1, 2, 255}


def test_a_tiny_model_keeps_its_classes():
    name = 'pspnet/pspnet_r18-d8_4xb4-80k_isaid-896x896.py'
    model = CONFIGS[name]['model']
    small = plain(tiny(model, (64, 96)))
    assert small['decode_head']['num_classes'] == model['decode_head']['num_classes'] == 16
    assert small['decode_head']['channels'] * 4 == model['decode_head']['channels']
    assert small['data_preprocessor']['size'] == (64, 96)
