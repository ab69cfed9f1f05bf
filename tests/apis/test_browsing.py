"""The page shows the samples that training draws, and what is wrong with one of them."""

import itertools
import os

import cv2
import numpy as np
import pytest
from doctor_trees import config_of, make_tree, stripes, write
from mmengine.registry import DefaultScope

from segplug.apis import browsing as module
from segplug.apis.browsing import browse
from segplug.cli.main import main
from segplug.engine.dataloading import build_dataloader
from segplug.errors import ConfigError


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / 'set')


@pytest.fixture
def config(root, tmp_path):
    path = tmp_path / 'config.py'
    config_of(root).dump(str(path))
    return str(path)


@pytest.fixture
def cards(monkeypatch):
    """What goes onto the page, instead of the page."""
    found = {}

    def kept(title, about, cards, legend, notes):
        found.update(about=about, cards=cards, legend=legend, notes=notes)
        return 'page'

    monkeypatch.setattr(module, 'samples_page', kept)
    return found


@pytest.mark.parametrize('sampler', ['DefaultSampler', 'InfiniteSampler'])
def test_samples_are_those_that_training_draws(config, root, tmp_path, cards, sampler):
    options = {'train_dataloader.sampler.type': sampler, 'train_dataloader.batch_size': 2}
    browse(config, num=4, seed=5, out=tmp_path, options=options)
    loader = dict(config_of(root).train_dataloader, batch_size=2,
                  sampler=dict(type=sampler, shuffle=True))
    with DefaultScope.overwrite_default_scope('segplug'):
        batches = list(itertools.islice(build_dataloader(loader, 5, stream=True), 2))
    drawn = [img for batch in batches for img in batch['inputs']]
    assert len(cards['cards']) == len(drawn) == 4
    for card, img in zip(cards['cards'], drawn, strict=True):
        assert np.array_equal(card.picture, img.numpy().transpose(1, 2, 0)[..., ::-1])
    assert 'seed 5 (given)' in cards['about'][0]


def test_another_seed_draws_others_and_the_configs_is_the_default(config, tmp_path, cards):
    shown = []
    for seed in (None, 1, 2):
        browse(config, num=4, seed=seed, out=tmp_path)
        shown.append([card.picture.tobytes() for card in cards['cards']])
    assert shown[0] == shown[1] != shown[2]


def test_it_says_what_the_pipeline_did(config, tmp_path, cards):
    options = {'train_dataloader.dataset.pipeline.3.prob': 1.0}
    browse(config, num=1, out=tmp_path, options=options)
    card, = cards['cards']
    assert card.facts[:2] == ('16x12 to 8x8', 'mirrored, horizontal')


def test_the_legend_counts_the_pixels_that_are_shown(config, root, tmp_path, cards):
    label = stripes()
    label[:, :4] = 255
    for name in 'ef':
        write(root / f'ann/val/{name}.png', label)
    browse(config, split='val', out=tmp_path)
    # Of 16 columns 4 are ignored; the rest is shared by three classes.
    assert [(e.name, e.share, e.images) for e in cards['legend']] == [
        ('earth', 0.25, 2), ('water', 0.25, 2), ('air', 0.25, 2), ('ignored (255)', 0.25, 2)]


def test_a_value_that_is_no_class_is_marked_and_the_doctor_says_so(config, root, tmp_path, cards):
    label = stripes()
    label[0, 0] = 9
    write(root / 'ann/val/e.png', label)
    browse(config, split='val', out=tmp_path)
    assert cards['legend'][-1].name == 'no class'
    assert [(n.severity, n.heading) for n in cards['notes']] == [('error', 'value_out_of_range')]
    assert cards['notes'][0].lines == ('in val_dataloader.dataset.pipeline.1: value_map={9: 255}',)


def test_a_sample_that_cannot_be_made_is_shown_as_such(config, root, tmp_path, capsys):
    (root / 'img/val/e.png').write_bytes(b'')
    assert main(['browse', config, '--split', 'val', '--out', str(tmp_path / 'p'), '--png']) == 1
    assert '1 samples, 1 that cannot be made' in capsys.readouterr().out
    assert 'is empty' in (tmp_path / 'p/val.html').read_text()
    assert cv2.imread(str(tmp_path / 'p/val.png')) is not None


def test_the_command_writes_a_page_and_a_grid(config, tmp_path, capsys):
    out = tmp_path / 'pages'
    assert main(['browse', config, '--num', '3', '--png', '--out', str(out)]) == 0
    assert capsys.readouterr().out == f'{out}/train.html: 3 samples\n{out}/train.png\n'
    assert (out / 'train.html').read_text().count('<figure>') == 3
    # Three pictures of 8x8 in a row, with gaps of 8.
    assert cv2.imread(str(out / 'train.png')).shape == (24, 56, 3)


def test_what_cannot_be_shown_is_one_sentence(config, tmp_path):
    with pytest.raises(ConfigError, match='at least'):
        browse(config, num=0)
    with pytest.raises(ConfigError, match='has no test_dataloader'):
        browse(config, split='test', options={'test_dataloader': None})


def test_a_test_set_without_labels_is_shown_too(config, root, tmp_path, cards):
    options = {'test_dataloader.dataset.data_prefix': dict(img_path='img/val', seg_map_path=None),
               'test_dataloader.dataset.test_mode': True}
    browse(config, split='test', out=tmp_path, options=options)
    assert [card.layer for card in cards['cards']] == [None, None]
    assert os.path.isfile(tmp_path / 'test.html')
