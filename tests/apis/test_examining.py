"""A clean set has nothing wrong, a bad file is named, and what a training does of it first."""

import json
import os
import shutil

import numpy as np
import pytest
import torch
from doctor_trees import (
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

from segplug.apis.examining import examine, quick_check, quick_findings
from segplug.errors import ConfigError, DataError
from segplug.registry import DATASETS

EVERYWHERE = ['train', 'val, test']


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


def test_val_and_test_that_cannot_be_listed_are_one_finding(root):
    shutil.rmtree(root / 'img/val')
    assert names(examine(config_of(root))) == {'data_set_unusable': ['val, test']}


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
    # Six images of one pixel of one colour: they are alike, and have no deviation; their labels are
    # 0, and a single class is 1.
    assert set(found) == {'image_in_two_splits', 'normalisation_far_off', 'empty_class'}
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
    report = json.loads(json.dumps(examine(stray_value(root)).as_dict()))
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
    cfg = one_too_high(root)
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
    cfg = stray_value(root)
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
