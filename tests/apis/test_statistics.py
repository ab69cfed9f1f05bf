"""Statistics of a config's data against plain loops over its files."""

import csv
import json

import cv2
import numpy as np
import pytest
from doctor_trees import PALETTE, SIZE, config_of, make_tree, stripes, write

from segplug.apis.config import load_config
from segplug.apis.statistics import stats, write_statistics
from segplug.errors import ConfigError, DataError, OutputError


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / 'data')


def test_against_a_plain_loop_over_real_files(test_data):
    """CamVid: pixels, images, both formulas of Eigen & Fergus and ENet, mean and deviation."""
    if not (test_data / 'camvid').is_dir():
        pytest.skip('SEGPLUG_TEST_DATA names no folder with camvid')
    root = str(test_data / 'camvid')
    found = stats('unet/unet_r18_camvid.py', data_root=root, splits=['train'], limit=12,
                  num_images=12)
    cfg = load_config('unet/unet_r18_camvid.py', data_root=root)
    prefix = cfg.train_dataloader.dataset.data_prefix
    names = sorted((test_data / 'camvid' / prefix.img_path).iterdir())
    chosen = [names[i] for i in np.linspace(0, len(names) - 1, 12).round().astype(int)]
    num_classes = len(found.parts[0].classes)
    pixels, images, where = (np.zeros(num_classes, np.int64) for _ in range(3))
    sums, squares, together = [], [], np.zeros((num_classes, num_classes), np.int64)
    for name in chosen:
        label = cv2.imread(str(test_data / 'camvid' / prefix.seg_map_path / f'{name.stem}.png'),
                           cv2.IMREAD_UNCHANGED)
        present = [k for k in range(num_classes) if (label == k).any()]
        for k in present:
            pixels[k] += (label == k).sum()
            images[k] += 1
            where[k] += (label != 255).sum()
            for other in present:
                together[k, other] += 1
        img = cv2.imread(str(name)).astype(np.float64)
        sums.append(img.mean(axis=(0, 1)))
        squares.append((img ** 2).mean(axis=(0, 1)))
    part = found.parts[0]
    assert [c.pixels for c in part.classes] == pixels.tolist()
    assert [c.images for c in part.classes] == images.tolist()
    assert part.together.tolist() == together.tolist()
    share = pixels / pixels.sum()
    frequency = np.array([p / w if w else np.nan for p, w in zip(pixels, where, strict=True)])
    expected = np.nan_to_num(np.nanmedian(frequency) / frequency, nan=1)
    assert found.weights['median_frequency'] == pytest.approx(expected, abs=1e-4)
    assert found.weights['inverse_log'] == pytest.approx(1 / np.log(1.02 + share), abs=1e-4)
    mean = np.mean(sums, axis=0)
    deviation = np.sqrt(np.mean(squares, axis=0) - mean ** 2)
    assert found.mean == pytest.approx(mean[::-1])  # the preprocessor swaps BGR to RGB
    assert found.std == pytest.approx(deviation[::-1])
    assert found.num_decoded == 12


def test_every_split_and_what_val_and_test_share(root):
    """Rows of 0 1 2: 4 of 12 rows each, in 4 and 2 labels of 16 columns."""
    found = stats(config_of(root))
    assert [part.name for part in found.parts] == ['train', 'val, test']
    assert [c.pixels for c in found.parts[0].classes] == [4 * 4 * 16] * 3
    assert found.parts[0].sizes == {SIZE: 4}
    assert found.weights['inverse_frequency'] == [1, 1, 1]
    text = str(found)
    assert '0 earth  33.333 %       4         64     33.33 %' in text
    assert 'class_weight=[1.0, 1.0, 1.0]' in text
    assert f'sizes, height x width: {SIZE[0]}x{SIZE[1]} in 4' in text


def test_values_that_are_ignored_or_unreadable_are_told(root):
    label = stripes()
    label[0] = 255
    write(root / 'ann/train/a.png', label)
    (root / 'ann/train/b.png').write_bytes(b'broken')
    found = stats(config_of(root), splits=['train'], num_images=0).parts[0]
    assert (found.labels, found.unreadable, found.ignored) == (4, 1, 16)
    assert [c.images for c in found.classes] == [3, 3, 3]
    assert '1 that cannot be read (segplug doctor' in str(stats(config_of(root)))


def test_many_sizes_and_no_known_classes(root):
    for i, name in enumerate('abcd'):
        img = np.zeros((12 + i, 16, 3), np.uint8)
        write(root / f'img/train/{name}.png', img)
        write(root / f'ann/train/{name}.png', img[..., 0])
    for i, name in enumerate('xy'):
        write(root / f'img/train/{name}.png', np.zeros((30, 40 + i, 3), np.uint8))
        write(root / f'ann/train/{name}.png', np.zeros((30, 40 + i), np.uint8))
    cfg = config_of(root, classes=())
    cfg.model.decode_head.pop('num_classes')
    found = stats(cfg, splits=['train'])
    assert found.parts[0].classes == []
    assert found.weights == {}
    assert 'and 1 more; 12 to 30 high, 16 to 41 wide' in str(found)
    assert found.mean == [0, 0, 0]


def test_one_class_has_no_weights(root):
    found = stats(config_of(make_tree(root / 'one', stripes(2)), classes=('water',)))
    assert [c.name for c in found.parts[0].classes] == ['not water', 'water']
    assert found.weights == {}
    assert len(PALETTE) == 3


def test_data_for_programs(root, tmp_path):
    found = stats(config_of(root))
    read = json.loads(json.dumps(found.as_dict()))
    assert read['parts'][0]['sizes'] == [dict(height=12, width=16, images=4)]
    assert read['parts'][0]['classes'][1]['name'] == 'water'
    assert read['parts'][0]['together'] == [[4] * 3] * 3
    write_statistics(found, tmp_path / 'deep' / 'x.csv')
    write_statistics(found, tmp_path / 'deep' / 'x.json')
    assert json.loads((tmp_path / 'deep' / 'x.json').read_text(encoding='utf-8')) == read
    with open(tmp_path / 'deep' / 'x.csv', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert (rows[1]['class'], rows[1]['pixels'], rows[1]['<= 50 %']) == ('water', '256', '4')
    (tmp_path / 'd.csv').mkdir()
    with pytest.raises(OutputError, match='cannot be written'):
        write_statistics(found, tmp_path / 'd.csv')
    with pytest.raises(ConfigError, match=r'ends in \.csv or \.json'):
        write_statistics(found, tmp_path / 'x.txt')


@pytest.mark.parametrize(('given', 'words'), [
    (dict(limit=0), 'one sample at least'), (dict(num_images=-1), '0 images at least')])
def test_wrong_numbers(root, given, words):
    with pytest.raises(ConfigError, match=words):
        stats(config_of(root), **given)


def test_nothing_to_count(root, tmp_path):
    for name in 'abcd':
        (root / f'ann/train/{name}.png').write_bytes(b'')
    with pytest.raises(DataError, match='No label can be read.*segplug doctor'):
        stats(config_of(root), splits=['train'])
    with pytest.raises(DataError, match='nowhere'):
        stats(config_of(tmp_path / 'nowhere'), splits=['train'])
