"""A made-up tree per known mistake gives its diagnosis, and the line that it says mends it."""

import cv2
import numpy as np
import pytest
from doctor_trees import (
    CLASSES,
    PALETTE,
    SIZE,
    config_of,
    each,
    make_tree,
    mended,
    names,
    one_too_high,
    relabel,
    stray_value,
    stripes,
    write,
)
from PIL import Image

from segplug.apis.examining import examine


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / 'set')


def _with_background(root):
    relabel(root, stripes(4))
    return config_of(root)


def _binary(root):
    relabel(root, stripes(2) * np.uint8(255))
    return config_of(root, CLASSES[:2])


def _colours(root):
    relabel(root, np.array(PALETTE, np.uint8)[stripes()][..., ::-1])
    return config_of(root)


def _black_and_white(root):
    relabel(root, np.repeat(stripes(2)[..., None] * np.uint8(255), 3, axis=2))
    return config_of(root, CLASSES[:2])


def _thrice(root):
    relabel(root, np.repeat(stripes()[..., None], 3, axis=2))
    return config_of(root)


def _palette(root):
    for path in each(root):
        picture = Image.fromarray(stripes())
        picture.putpalette([9, 8, 7, 50, 60, 70, 1, 2, 3])
        picture.save(path)
    cfg = config_of(root)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[1]['imdecode_backend'] = 'cv2'
    return cfg


def _new_colour(root):
    cfg = _colours(root)
    label = cv2.imread(str(root / 'ann/train/b.png'))
    label[0, :5] = (7, 7, 7)
    write(root / 'ann/train/b.png', label)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[1]['color_map'] = PALETTE
    return cfg


def _other_ignore(root):
    label = stripes()
    label[0] = 255
    relabel(root, label)
    cfg = config_of(root, ignore_index=254)
    cfg.model.decode_head.ignore_index = 254
    cfg.model.data_preprocessor.seg_pad_val = 254
    cfg.val_evaluator.ignore_index = cfg.test_evaluator.ignore_index = 254
    return cfg


def _reduced_without_need(root):
    return config_of(root, reduce_zero_label=True)


def _heads(root):
    return config_of(root, num_classes=7)


def _ignore_differs(root):
    cfg = config_of(root)
    cfg.model.decode_head.ignore_index = 0
    cfg.val_evaluator.ignore_index = cfg.test_evaluator.ignore_index = 0
    cfg.model.data_preprocessor.seg_pad_val = 0
    return cfg


def _grey_mean(root):
    cfg = config_of(root)
    cfg.model.data_preprocessor.update(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    return cfg


def _four_channels(root):
    for path in each(root, 'img'):
        write(path, np.dstack([cv2.imread(str(path)), np.full(SIZE, 100, np.uint8)]))
    cfg = config_of(root)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[0]['color_type'] = 'unchanged'
    return cfg


def _mixed_channels(root):
    cfg = _four_channels(root)
    write(root / 'img/train/a.png', cv2.imread(str(root / 'img/train/a.png')))
    return cfg


def _other_classes(root):
    cfg = config_of(root)
    cfg.val_dataloader.dataset.metainfo.classes = CLASSES[::-1]
    cfg.test_dataloader.dataset.metainfo.classes = CLASSES[::-1]
    return cfg


EVERYWHERE = ['train', 'val, test']
# What spoils the tree or the config -> names of the findings, and where.
MISTAKES = {
    one_too_high: {'off_by_one': EVERYWHERE},
    _with_background: {'off_by_one': EVERYWHERE},
    _binary: {'binary_255': EVERYWHERE},
    _colours: {'colour_mask': EVERYWHERE},
    _black_and_white: {'colour_mask': EVERYWHERE},
    _thrice: {'grey_as_colour': EVERYWHERE},
    _palette: {'palette_as_colour': EVERYWHERE},
    _new_colour: {'unknown_colours': ['train']},
    stray_value: {'value_out_of_range': ['train']},
    _other_ignore: {'value_255_is_no_class': EVERYWHERE},
    _reduced_without_need: {'reduced_without_need': EVERYWHERE, 'empty_class': EVERYWHERE},
    _heads: {'num_classes_differs': ['model']},
    _ignore_differs: {'ignore_index_differs': ['model.decode_head', 'model.data_preprocessor',
                                               'val_evaluator', 'test_evaluator']},
    _grey_mean: {'normalisation_far_off': ['train']},
    _four_channels: {'channels_do_not_fit': ['train', 'train']},
    _mixed_channels: {'channels_vary': ['train']},
    _other_classes: {'classes_differ': ['val, test']},
}


@pytest.mark.parametrize('spoil', MISTAKES)
def test_a_mistake_gives_its_diagnosis_and_the_line_that_mends_it(root, spoil):
    cfg = spoil(root)
    report = examine(cfg)
    assert names(report) == MISTAKES[spoil]
    assert not report.is_clean
    assert all(finding.what and finding.why for finding in report.findings)
    assert examine(mended(cfg, report.findings)).findings == []


def test_values_are_counted_with_their_files(root):
    finding, = examine(stray_value(root)).findings
    assert finding.severity == 'error'
    assert '2 values are no class: 3 (1 pixel in 1 label), 77 (3 pixels in 1 label)' in finding.what
    assert finding.files == (f'{root}/ann/train/b.png: 3 in 1 pixel, 77 in 3 pixels',)
    assert finding.mending[0].line == 'value_map={3: 255, 77: 255}'


def test_colours_of_the_palette_get_their_ids(root):
    first = examine(_colours(root)).findings[0]
    assert first.mending[0].place == 'train_dataloader.dataset.pipeline.1'
    assert first.mending[0].line == "color_map={'#c80000': 0, '#00c800': 1, '#0000c8': 2}"
    second = examine(_colours(root)).findings[1]
    assert [m.place for m in second.mending] == [
        'val_dataloader.dataset.pipeline.1', 'test_dataloader.dataset.pipeline.1']


def test_colours_that_nobody_knows_are_numbered_and_said_to_be_a_guess(root):
    colours = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)  # BGR
    label = stripes()
    label[0] = 1  # of 12 rows 0 has 3, 1 has 5 and 2 has 4
    relabel(root, colours[label])
    finding = examine(config_of(root)).findings[0]
    assert finding.mending[0].line == "color_map={'#060504': 0, '#090807': 1, '#030201': 2}"
    assert 'by frequency' in finding.advice
