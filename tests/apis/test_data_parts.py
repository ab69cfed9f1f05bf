"""The data sets of a config: each once, and what cannot be used as a finding."""

import shutil

import pytest
from doctor_trees import config_of, make_tree, stripes, write
from mmengine.config import Config
from mmengine.logging import MMLogger

from segplug.apis.data_parts import members, read_all
from segplug.errors import ConfigError

SPLITS = ('train', 'val', 'test')


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / 'data')


def test_data_sets_that_are_alike_are_one(root):
    usable, findings = members(config_of(root), SPLITS, None)
    assert [(part.name, len(part.infos)) for _, part in usable] == [('train', 4), ('val, test', 2)]
    assert findings == []


def test_one_that_is_trained_on_is_another(root):
    """The same files with augmentation and without are looked at as two."""
    cfg = config_of(root)
    cfg.val_dataloader.dataset.data_prefix = cfg.train_dataloader.dataset.data_prefix
    usable, _ = members(cfg, ('train', 'val'), None)
    assert [(part.name, part.is_training) for _, part in usable] == [('train', True),
                                                                     ('val', False)]


def test_parts_of_a_joined_set_are_numbered(root):
    cfg = config_of(root)
    one = cfg.train_dataloader.dataset
    other = {**one, 'data_prefix': cfg.val_dataloader.dataset.data_prefix}
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[one, other])
    usable, _ = members(cfg, ('train',), None)
    assert [part.name for _, part in usable] == ['train[0]', 'train[1]']


def test_what_cannot_be_used_is_one_finding(root):
    shutil.rmtree(root / 'img' / 'val')
    usable, findings = members(config_of(root), SPLITS, None)
    assert [part.name for _, part in usable] == ['train']
    assert [(one.name, one.where) for one in findings] == [('data_set_unusable', 'val, test')]


def test_a_label_that_another_set_uses_is_not_spare(root):
    """All labels lie in one folder: to each set the other's are left over, and one to both."""
    for name in 'abcdefz':
        write(root / f'ann/all/{name}.png', stripes())
    cfg = config_of(root)
    for split in ('train', 'val'):
        cfg[f'{split}_dataloader'].dataset.data_prefix.seg_map_path = 'ann/all'
    usable, _ = members(cfg, ('train', 'val'), None)
    assert [[path.rpartition('/')[2] for path in part.spare_labels] for _, part in usable] == [
        ['z.png'], ['z.png']]


def test_a_config_without_data_is_an_error():
    with pytest.raises(ConfigError, match='no data set to look at'):
        members(Config(dict(model=dict())), SPLITS, None)


def test_reading_counts_the_pixels(root):
    """Of 12 rows of 16 pixels each of three classes has 4, in each of 4 labels."""
    usable, _ = members(config_of(root), ('train',), None)
    read_all(usable, 'read', MMLogger.get_current_instance(), num_threads=1)
    part = usable[0][1]
    assert [(facts.values.tolist(), facts.counts.tolist()) for facts in part.labels] == [
        ([0, 1, 2], [4 * 16] * 3)] * 4
    assert [facts.shape for facts in part.images] == [(12, 16)] * 4
