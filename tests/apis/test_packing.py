"""`segplug pack`: the same samples from the packed form as from the files, on every kind of set."""

import copy
import json
import os

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from segplug.apis import packing as module
from segplug.apis.config import load_config
from segplug.apis.packing import broken, pack
from segplug.apis.training import train
from segplug.cli.main import main
from segplug.datasets.packed import Mapped
from segplug.errors import ConfigError, DataError
from segplug.registry import DATASETS

PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
            dict(type='RandomResize', scale=(60, 40), ratio_range=(0.5, 2.), keep_ratio=True),
            dict(type='RandomCrop', crop_size=(24, 32), cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5), dict(type='PhotoMetricDistortion'),
            dict(type='PackSegInputs')]
TEST = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]


@pytest.fixture
def tree(tmp_path):
    rng = np.random.default_rng(0)
    root = tmp_path / 'set'
    for split, names in (('train', 'abc'), ('val', 'de')):
        for name in names:
            for kind, shape in (('img', (40, 60, 3)), ('ann', (40, 60))):
                path = root / kind / split / f'{name}.png'
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(0, 256 if kind == 'img' else 4, shape, np.uint8)
                cv2.imwrite(str(path), pixels)
    return root


def written_config(tmp_path, tree, **changes):
    def loader(split, pipeline):
        return dict(batch_size=1, dataset={**dict(
            type='BaseSegDataset', data_root=str(tree), img_suffix='.png', pipeline=pipeline,
            metainfo=dict(classes=('a', 'b', 'c')), reduce_zero_label=True,
            data_prefix=dict(img_path=f'img/{split}', seg_map_path=f'ann/{split}')), **changes})
    train = loader('train', PIPELINE)
    train['dataset'] = dict(type='RepeatDataset', times=2, dataset=train['dataset'])
    cfg = Config(dict(train_dataloader=train, val_dataloader=loader('val', TEST),
                      test_dataloader=loader('val', TEST), default_scope='segplug'))
    path = tmp_path / 'config.py'
    cfg.dump(str(path))
    return str(path)


def samples(cfg, split, seeds=range(3)):
    with DefaultScope.overwrite_default_scope('segplug'):
        dataset = DATASETS.build(copy.deepcopy(cfg[f'{split}_dataloader'].dataset))
    for index in range(len(dataset)):
        for seed in seeds:
            np.random.seed(seed)
            yield dataset[index]


def test_the_same_samples_to_the_byte(tmp_path, tree):
    config, out = written_config(tmp_path, tree), str(tmp_path / 'packed')
    # 5 images and 5 labels; train lists its 3 twice, val and test are the same two.
    assert pack(config, out) == dict(written=10, kept=0, folder=out,
                                     bytes=5 * (40 * 60 * 3 + 40 * 60))
    raw, packed = load_config(config), load_config(config, packed=out)
    for split in ('train', 'val'):
        pairs = list(zip(samples(raw, split), samples(packed, split), strict=True))
        assert len(pairs) == {'train': 18, 'val': 6}[split]
        for one, other in pairs:
            assert one['inputs'].equal(other['inputs'])
            assert one['data_samples'].gt_sem_seg.data.equal(other['data_samples'].gt_sem_seg.data)
            assert one['data_samples'].metainfo == other['data_samples'].metainfo


def test_no_whole_frame_is_copied_out(tmp_path, tree, monkeypatch):
    config, out = written_config(tmp_path, tree), str(tmp_path / 'packed')
    pack(config, out)

    def whole(self):
        raise AssertionError('a whole frame was copied')

    monkeypatch.setattr(Mapped, 'array', whole)
    # Enlarged sixfold, a crop's window costs less than the whole by any measure.
    cfg = load_config(config, packed=out, options={
        'train_dataloader.dataset.dataset.pipeline.2.ratio_range': (6., 6.)})
    assert len(list(samples(cfg, 'train', seeds=[0]))) == 6


def test_the_files_are_not_opened(tmp_path, tree):
    config, out = written_config(tmp_path, tree), str(tmp_path / 'packed')
    pack(config, out)
    for path in tree.rglob('*.png'):
        status = os.stat(path)
        path.write_bytes(b'x' * status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(list(samples(load_config(config, packed=out), 'val'))) == 6


def test_the_tree_may_be_gone(tmp_path, tree):
    (tree / 'train.txt').write_text('c\na\n')
    config = written_config(tmp_path, tree, ann_file='train.txt', data_prefix=dict(
        img_path='img/train', seg_map_path='ann/train'))
    out = str(tmp_path / 'packed')
    assert pack(config, out)['written'] == 5  # two images, two labels and the list
    with_files = list(samples(load_config(config, packed=out), 'val'))
    tree.rename(tmp_path / 'away')
    cfg = load_config(config, packed=out)
    without = list(samples(cfg, 'val'))
    assert [s['data_samples'].img_path for s in without[::3]] == [
        str(tree / 'img/train' / name) for name in ('c.png', 'a.png')]
    for one, other in zip(with_files, without, strict=True):
        assert one['inputs'].equal(other['inputs'])
    with pytest.raises(DataError, match='finds no image'):
        next(samples(load_config(config, packed=out, options={
            'val_dataloader.dataset.ann_file': '',
            'val_dataloader.dataset.data_prefix.img_path': 'nowhere'}), 'val'))


def test_what_is_there_stays_and_what_is_missing_is_added(tmp_path, tree):
    config, out = written_config(tmp_path, tree), str(tmp_path / 'packed')
    assert pack(config, out, splits=['val'])['written'] == 4
    with pytest.raises(DataError, match='is not in the packed data set'):
        next(samples(load_config(config, packed=out), 'train'))
    done = pack(config, out)
    assert (done['written'], done['kept']) == (6, 4)
    assert broken(out) == []


def test_an_interrupted_run_ends_in_the_same_bytes(tmp_path, tree, monkeypatch):
    config, whole, half = written_config(tmp_path, tree), tmp_path / 'whole', tmp_path / 'half'
    pack(config, whole, num_threads=2)

    def stops(jobs, num_threads):
        for number, job in enumerate(jobs):
            if number == 3:
                raise KeyboardInterrupt
            yield job, job.load()

    with monkeypatch.context() as patch:
        patch.setattr(module, '_loaded', stops)
        with pytest.raises(KeyboardInterrupt):
            pack(config, half)
    done = pack(config, half, num_threads=1)
    assert (done['written'], done['kept']) == (4, 6)  # three samples were whole
    assert {p.name: p.read_bytes() for p in whole.iterdir()} == \
        {p.name: p.read_bytes() for p in half.iterdir()}


def test_a_changed_label_is_noticed(tmp_path, tree):
    config, out = written_config(tmp_path, tree), str(tmp_path / 'packed')
    pack(config, out)
    cv2.imwrite(str(tree / 'ann/val/d.png'), np.ones((40, 60), np.uint8))
    with pytest.raises(DataError, match=r'd.png has changed since it was packed'):
        next(samples(load_config(config, packed=out), 'val'))
    assert pack(config, out)['written'] == 1
    first = next(samples(load_config(config, packed=out), 'val'))
    assert first['data_samples'].gt_sem_seg.data.unique().tolist() == [0]  # 1, and 0 is no class


def test_a_file_that_cannot_be_read_stops_it_and_is_named(tmp_path, tree):
    (tree / 'img/train/b.png').write_bytes(b'no picture')
    with pytest.raises(DataError, match=r'b.png'):
        pack(written_config(tmp_path, tree), tmp_path / 'packed')


def test_a_label_of_another_size_stops_it_and_is_named(tmp_path, tree):
    cv2.imwrite(str(tree / 'ann/train/b.png'), np.zeros((40, 61), np.uint8))
    with pytest.raises(DataError, match=r'b.png and its image differ in size'):
        pack(written_config(tmp_path, tree), tmp_path / 'packed')


def test_what_cannot_be_packed_is_said(tmp_path, tree):
    config = written_config(tmp_path, tree)
    with pytest.raises(ConfigError, match='no data set to pack'):
        pack(config, tmp_path / 'packed', splits=[])
    with pytest.raises(ConfigError, match='not read by LoadImageFromFile'):
        pack(config, tmp_path / 'packed', options={
            'val_dataloader.dataset.pipeline': [dict(type='LoadImageFromNDArray')]})


def test_two_roots_with_the_same_names_are_refused(tmp_path, tree):
    other = tmp_path / 'other'
    (tmp_path / 'other').mkdir()
    for path in tree.rglob('*.png'):
        copied = other / path.relative_to(tree)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(path.read_bytes())
    with pytest.raises(DataError, match='have one name'):
        pack(written_config(tmp_path, tree), tmp_path / 'packed',
             options={'test_dataloader.dataset.data_root': str(other)})


def test_the_command(tmp_path, tree, capsys):
    config, out = written_config(tmp_path, tree), str(tmp_path / 'packed')
    assert main(['pack', config, '--out', out, '--threads', '1']) == 0
    assert '10 arrays written, 0 were there' in capsys.readouterr().out
    assert main(['pack', '--verify', out]) == 0
    data = bytearray((tmp_path / 'packed/00000.bin').read_bytes())
    data[0] ^= 255
    (tmp_path / 'packed/00000.bin').write_bytes(data)
    assert main(['pack', '--verify', out]) == 1
    assert 'img/train/a.png is broken' in capsys.readouterr().out
    assert main(['pack', '--out', out]) == 1


def losses(folder):
    rows = [json.loads(row) for row in next(folder.rglob('scalars.json')).read_text().splitlines()]
    return [row['loss'] for row in rows if 'loss' in row]


def test_camvid_trains_from_jpeg_and_packed_with_the_same_losses(test_data, tmp_path):
    if not (test_data / 'camvid').is_dir():
        pytest.skip('SEGPLUG_TEST_DATA names no folder with camvid')
    config, root, out = 'unet/unet_r18_camvid.py', str(test_data / 'camvid'), tmp_path / 'packed'
    options = {'train_cfg.max_iters': 4, 'train_cfg.val_interval': 10,
               'train_dataloader.batch_size': 2, 'model.backbone.init_cfg': None,
               'default_hooks.logger.interval': 1}
    options.update({'train_dataloader.dataset.indices': 24, 'val_dataloader.dataset.indices': 1})
    assert pack(config, out, splits=['train', 'val'], data_root=root,
                options=options)['written'] == 50
    curves = {}
    for name, packed in (('raw', None), ('packed', str(out))):
        train(config, options=options, data_root=root, packed=packed,
              work_dir=str(tmp_path / name))
        curves[name] = losses(tmp_path / name)
    assert len(curves['raw']) == 4
    assert curves['raw'] == curves['packed']
