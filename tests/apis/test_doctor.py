"""A made-up tree per known mistake gives its diagnosis, the line that mends it mends it, and a
clean set gives none."""

import json
import os
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from doctor_trees import (  # noqa: E402
    CLASSES,
    PALETTE,
    SIZE,
    config_of,
    make_tree,
    mended,
    stripes,
    write,
)

from segplug.apis.doctor import examine, quick_check, quick_findings  # noqa: E402
from segplug.errors import ConfigError, DataError  # noqa: E402
from segplug.registry import DATASETS  # noqa: E402


def names(report) -> dict[str, list[str]]:
    found = {}
    for finding in report.findings:
        found.setdefault(finding.name, []).append(finding.where)
    return found


def each(root, kind='ann', splits=('train', 'val')):
    return [path for split in splits for path in sorted((root / kind / split).iterdir())]


def relabel(root, label) -> None:
    for path in each(root):
        write(path, label)


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / 'set')


def test_a_clean_set_gives_none(root):
    report = examine(config_of(root))
    assert report.findings == []
    assert report.is_clean
    assert [part.name for part in report.parts] == ['train', 'val, test'], 'scanned once'
    # 12 rows of 16 pixels, 4 rows of each of the 3 classes, in 4 labels.
    assert report.tallies[0].pixels.tolist() == [4 * 4 * 16] * 3
    assert report.tallies[0].images.tolist() == [4, 4, 4]
    # Equal shares: median / frequency is 1; 1 / ln(1.02 + 1/3) = 3.3050.
    assert report.weights == dict(median_frequency=[1, 1, 1], inverse_log=[3.305] * 3)


def _one_too_high(root):
    relabel(root, stripes(first=1))
    return config_of(root)


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


def _stray_value(root):
    label = stripes()
    label[0, :3], label[5, 0] = 77, 3
    write(root / 'ann/train/b.png', label)
    return config_of(root)


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
    _one_too_high: {'off_by_one': EVERYWHERE},
    _with_background: {'off_by_one': EVERYWHERE},
    _binary: {'binary_255': EVERYWHERE},
    _colours: {'colour_mask': EVERYWHERE},
    _black_and_white: {'colour_mask': EVERYWHERE},
    _thrice: {'grey_as_colour': EVERYWHERE},
    _palette: {'palette_as_colour': EVERYWHERE},
    _new_colour: {'unknown_colours': ['train']},
    _stray_value: {'value_out_of_range': ['train']},
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
    finding, = examine(_stray_value(root)).findings
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


def _no_label(root):
    (root / 'ann/train/b.png').unlink()


def _no_image(root):
    (root / 'img/train/b.png').unlink()


def _empty_label(root):
    (root / 'ann/train/b.png').write_bytes(b'')


def _cut_label(root):
    path = root / 'ann/train/b.png'
    path.write_bytes(path.read_bytes()[:60])


def _cut_image(root):
    path = root / 'img/train/b.png'
    path.write_bytes(path.read_bytes()[:300])


def _damaged_image(root):
    path = root / 'img/train/b.png'
    data = bytearray(path.read_bytes())
    data[200:210] = bytes(10)
    path.write_bytes(data)


def _text_for_image(root):
    (root / 'img/train/b.png').write_text('<html>404</html>')


def _other_size(root):
    write(root / 'ann/train/b.png', stripes()[:, :-1])


def _ignored(root):
    write(root / 'ann/train/b.png', np.full(SIZE, 255, np.uint8))


def _jpeg_label(root):
    write(root / 'ann/train/b.jpg', stripes())
    (root / 'ann/train/b.jpg').rename(root / 'ann/train/b.png')


def _photo(root):
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    write(root / 'ann/train/b.png', picture)
    write(root / 'img/train/b.png', picture)


def _leaked(root):
    shutil.copy(root / 'img/train/b.png', root / 'img/val/e.png')


def _never_learned(root):
    for path in each(root, splits=['train']):
        write(path, stripes(2))


def _turned(root):
    img = Image.open(root / 'img/train/b.png')
    exif = Image.Exif()
    exif[274] = 3
    img.save(root / 'img/train/b.png', exif=exif)


def _sixteen_bits_out(root):
    write(root / 'ann/train/b.png', stripes().astype(np.uint16) + np.uint16(1000))


@pytest.mark.parametrize(('spoil', 'expected', 'said'), [
    (_no_label, {'images_without_labels': ['train']}, 'img/train/b.png'),
    (_no_image, {'labels_without_images': ['train']}, 'ann/train/b.png'),
    (_empty_label, {'unreadable_label': ['train']}, '0 bytes'),
    (_cut_label, {'unreadable_label': ['train']}, 'ends too early'),
    (_cut_image, {'unreadable_image': ['train']}, 'ends too early'),
    (_damaged_image, {'unreadable_image': ['train']}, 'b.png'),
    (_text_for_image, {'unreadable_image': ['train']}, 'b.png'),
    (_other_size, {'size_differs': ['train']}, 'label 15x12, image 16x12'),
    (_ignored, {'all_ignored': ['train']}, 'ann/train/b.png'),
    (_jpeg_label, {'lossy_labels': ['train']}, 'ann/train/b.png'),
    (_photo, {'label_is_a_photo': ['train']}, 'colours'),
    (_leaked, {'image_in_two_splits': ['train and val, test']}, 'img/val/e.png'),
    (_never_learned, {'class_missing_in_train': ['val, test'], 'empty_class': ['train']}, 'air'),
    (_turned, {'exif_orientation': ['train']}, 'orientation 3'),
    (_sixteen_bits_out, {'value_out_of_range': ['train']}, '1000'),
])
def test_a_bad_file_is_named(root, spoil, expected, said):
    spoil(root)
    report = examine(config_of(root))
    assert names(report) == expected
    assert said in '\n'.join(map(str, report.findings))
    assert all(f.mending or f.advice for f in report.findings)


def test_a_set_that_cannot_be_listed_is_a_finding(tmp_path):
    (tmp_path / 'img/train').mkdir(parents=True)
    report = examine(config_of(tmp_path), splits=['train'])
    assert names(report) == {'data_set_unusable': ['train']}
    assert 'finds no image' in report.findings[0].what


def test_wrapped_data_sets_are_looked_at(root):
    relabel(root, stripes(first=1))
    cfg = config_of(root)
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=3, dataset=dict(
        type='ConcatDataset', datasets=[inner]))
    report = examine(cfg)
    assert report.findings[0].mending[0].place == \
        'train_dataloader.dataset.dataset.datasets.0'
    assert len(report.parts[0].infos) == 4
    assert examine(mended(cfg, report.findings)).findings == []


def test_a_limit_says_nothing_that_only_all_labels_tell(root):
    _never_learned(root)
    report = examine(config_of(root), limit=2)
    assert [len(part.infos) for part in report.parts] == [2, 2]
    assert report.findings == []
    with pytest.raises(ConfigError, match='at least'):
        examine(config_of(root), limit=0)


def test_one_class_three_hundred_classes_and_labels_of_one_pixel(tmp_path):
    root = make_tree(tmp_path / 'one', np.zeros((1, 1), np.uint8))
    for path in each(root, 'img'):
        write(path, np.full((1, 1, 3), 110, np.uint8))
    found = names(examine(config_of(root, ('all',))))
    # Six images of one pixel of one colour: they are alike, and have no deviation.
    assert set(found) == {'image_in_two_splits', 'normalisation_far_off'}
    root = make_tree(tmp_path / 'many', stripes().astype(np.uint16) * 149)
    cfg = config_of(root, tuple(f'c{i}' for i in range(300)), ignore_index=65535)
    cfg.model.decode_head.ignore_index = cfg.model.data_preprocessor.seg_pad_val = 65535
    cfg.val_evaluator.ignore_index = cfg.test_evaluator.ignore_index = 65535
    cfg.train_dataloader.dataset.metainfo.palette = None
    cfg.val_dataloader.dataset.metainfo.palette = cfg.test_dataloader.dataset.metainfo.palette = \
        None
    report = examine(cfg)
    assert names(report) == {'empty_class': EVERYWHERE}
    assert '297 of 300 classes' in report.findings[0].what


def test_names_of_any_letters_and_loops_of_links(tmp_path):
    root = make_tree(tmp_path / 'städte 城', names=(('train', 'äß'), ('val', '東')))
    os.symlink(root / 'img', root / 'img/train/loop', target_is_directory=True)
    assert names(examine(config_of(root))).keys() <= {'image_in_two_splits'}


@pytest.mark.skipif(os.geteuid() == 0, reason='root reads every file')
def test_a_file_that_may_not_be_read(root):
    (root / 'ann/train/b.png').chmod(0)
    assert names(examine(config_of(root))) == {'unreadable_label': ['train']}


def test_real_images_have_nothing_wrong(test_data):
    report = examine('unet/unet_r18_camvid.py', data_root=str(test_data / 'camvid'), limit=20)
    assert report.findings == []


def test_mini_cityscapes_has_nothing_wrong(minicity):
    report = examine('unet/unet_r18_minicity.py', data_root=str(minicity))
    # Eight drawn scenes do not hold every class.
    assert set(names(report)) <= {'empty_class', 'class_missing_in_train'}


def test_plain_data_of_a_report(root):
    report = json.loads(json.dumps(examine(_stray_value(root)).as_dict()))
    assert set(report) == {'version', 'config', 'clean', 'seconds', 'findings', 'parts',
                           'class_weights'}
    assert report['clean'] is False
    assert set(report['findings'][0]) == {'name', 'severity', 'where', 'what', 'why', 'advice',
                                          'mending', 'files', 'num_files'}
    train = report['parts'][0]
    assert (train['samples'], train['labels'], train['pixels']) == (4, 4, 4 * 12 * 16)
    # b.png lost 3 pixels of row 0 to 77 and one of row 5, class 2, to 3.
    assert [c['pixels'] for c in train['classes']] == [4 * 64 - 3, 4 * 64, 4 * 64 - 1]
    assert train['values'] == {'0': 253, '1': 256, '2': 255, '3': 1, '77': 3}


def built(cfg):
    return {split: DATASETS.build(dict(cfg[f'{split}_dataloader'].dataset))
            for split in ('train', 'val')}


def test_a_training_stops_at_an_error_with_the_lines_that_mend_it(root):
    cfg = _one_too_high(root)
    with pytest.raises(DataError, match='off_by_one') as caught:
        quick_check(cfg, built(cfg))
    assert 'in train_dataloader.dataset: reduce_zero_label=True' in str(caught.value)
    assert '--no-doctor' in str(caught.value)
    quick_check(mended(cfg, quick_findings(cfg, built(cfg))), built(config_of(
        root, reduce_zero_label=True)))


def test_a_training_is_warned_and_goes_on(root, caplog):
    _ignored(root)
    cfg = config_of(root)
    assert [f.name for f in quick_findings(cfg, built(cfg))] == ['all_ignored']
    quick_check(cfg, built(cfg))


def test_the_quick_check_reads_few_labels(root, monkeypatch):
    read = []
    from segplug.apis import doctor_scan
    original = doctor_scan.label_facts
    monkeypatch.setattr(doctor_scan, 'label_facts',
                        lambda info, reader: read.append(info) or original(info, reader))
    cfg = config_of(root)
    assert quick_findings(cfg, built(cfg), dict(train=3, val=1)) == []
    assert len(read) == 4


def test_a_data_set_of_another_kind_is_passed_over(root):
    class Strange(torch.utils.data.Dataset):
        def __len__(self):
            return 3

    quick_check(config_of(root), dict(train=Strange()))


def test_values_that_another_packages_transform_may_change_do_not_stop(root):
    cfg = _stray_value(root)
    datasets = built(cfg)
    datasets['train'].pipeline.transforms.append(lambda results: results)
    assert [f.severity for f in quick_findings(cfg, datasets)] == ['warning']


def test_a_set_without_labels_has_nothing_wrong(root):
    cfg = config_of(root)
    cfg.test_dataloader.dataset.update(test_mode=True, data_prefix=dict(
        img_path='img/val', seg_map_path=None))
    report = examine(cfg)
    assert report.findings == []
    assert [part['labels'] for part in report.as_dict()['parts']] == [4, 2, 0]
