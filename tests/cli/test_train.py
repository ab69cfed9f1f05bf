"""`segplug train` on files that cannot be used: one paragraph and exit code 1, or left out."""

import cv2
import numpy as np
import pytest

from segplug.cli.main import main

CONFIG = """
default_scope = 'segplug'
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[115.] * 3, std=[60.] * 3),
    backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4,
                  norm_cfg=dict(type='BN')),
    decode_head=dict(type='FCNHead', in_channels=32, channels=4, num_convs=1, in_index=3,
                     num_classes=3, norm_cfg=dict(type='BN')))
train_dataloader = dict(
    batch_size=2, num_workers=2, persistent_workers=True, sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='BaseSegDataset', img_suffix='.png', data_root={root!r},
        data_prefix=dict(img_path='img', seg_map_path='ann'),
        metainfo=dict(classes=('a', 'b', 'c')),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                  dict(type='RandomCrop', crop_size=(32, 32)), dict(type='PackSegInputs')]))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
randomness = dict(seed=0)
default_hooks = dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=4))
log_processor = dict(by_epoch=False)
"""


@pytest.fixture
def root(tmp_path):
    """Four images of noise with labels of three classes, and config.py."""
    draws = np.random.default_rng(0)
    for folder in ('img', 'ann'):
        (tmp_path / folder).mkdir()
    for i in range(4):
        img = np.clip(draws.normal(115, 60, (40, 48, 3)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f'img/{i}.png'), img)
        cv2.imwrite(str(tmp_path / f'ann/{i}.png'), draws.integers(0, 3, (40, 48), np.uint8))
    (tmp_path / 'config.py').write_text(CONFIG.format(root=str(tmp_path)))
    return tmp_path


def truncate(path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


def run(root, *arguments) -> int:
    return main(['train', str(root / 'config.py'), '--work-dir', str(root / 'run'), *arguments])


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize(('spoil', 'said'), [
    (lambda root: truncate(root / 'img/2.png'),
     'DataError: The image {root}/img/2.png cannot be decoded. Got: '),
    (lambda root: (root / 'ann/2.png').write_bytes(b''),
     'DataError: The label {root}/ann/2.png is empty. Got: 0 bytes. '),
    (lambda root: cv2.imwrite(str(root / 'ann/2.png'), np.full((40, 48), 3, np.uint8)),
     'DataError: The label of {root}/ann/2.png holds values that are no class. Got: 3 in '),
])
def test_a_bad_file_is_one_paragraph_from_a_worker_too(root, spoil, said, workers, capsys):
    spoil(root)
    code = run(root, '--no-doctor', '--cfg-options', f'train_dataloader.num_workers={workers}')
    error = capsys.readouterr().err.splitlines()
    assert code == 1
    assert error[-1].startswith(said.format(root=root))
    assert not [line for line in error if 'Traceback' in line]


def test_the_look_at_some_labels_stops_where_nothing_is_skipped_and_warns_where_it_is(
        root, capsys):
    truncate(root / 'img/2.png')
    assert run(root) == 1
    assert 'unreadable_image' in capsys.readouterr().err
    assert run(root, '--cfg-options', 'train_dataloader.skip_bad_samples=1') == 0
    said = capsys.readouterr().out
    assert 'warning: unreadable_image (train): 1 image' in said
    assert 'skip_bad_samples leaves them out' in said
    assert '1 sample was left out of the training' in said
    listed = (root / 'run/skipped_samples.txt').read_text().splitlines()
    assert [line.split('\t')[0] for line in listed] == [str(root / 'img/2.png')]


def test_a_wrong_value_of_the_switch_is_said_with_its_place(root, capsys):
    code = run(root, '--cfg-options', 'train_dataloader.skip_bad_samples=-1')
    assert code == 1
    assert 'skip_bad_samples' in capsys.readouterr().err
