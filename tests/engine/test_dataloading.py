"""Files that cannot be used, through a loader: named from a worker too, or left out and listed."""

import cv2
import numpy as np
import pytest

from segplug.engine.dataloading import build_dataloader
from segplug.engine.sampling import seek
from segplug.errors import DataError
from segplug.registry import DATASETS

CLASSES = tuple(f'c{i}' for i in range(19))
LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
CROP = [dict(type='RandomCrop', crop_size=(8, 8)), dict(type='PackSegInputs')]
NUM = 6


@pytest.fixture
def root(tmp_path):
    """Six images of noise, with labels of 19 classes and ignored pixels."""
    draws = np.random.default_rng(0)
    for folder in ('img', 'ann'):
        (tmp_path / folder).mkdir()
    for i in range(NUM):
        label = draws.integers(0, 19, (16, 20), dtype=np.uint8)
        label[:2] = 255
        cv2.imwrite(str(tmp_path / f'img/{i}.png'), draws.integers(0, 256, (16, 20, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f'ann/{i}.png'), label)
    return tmp_path


def spoil(root, fault: str, index: int = 2) -> str:
    """Make one sample unusable; returns what its error has to say."""
    img, label = root / f'img/{index}.png', root / f'ann/{index}.png'
    if fault == 'truncated':
        img.write_bytes(img.read_bytes()[:-200])
        return f'The image {img} cannot be decoded. Got: .* the file ends too early'
    if fault == 'empty':
        label.write_bytes(b'')
        return f'The label {label} is empty'
    if fault == 'text':
        label.write_text('no label\nsegplug.errors.DataError: of mine\n')
        return f'The label {label} cannot be decoded. Got: .* it is of no known format'
    if fault == 'missing':
        img.unlink()
        return f'The image {img} cannot be read. Got: No such file'
    if fault == 'folder':
        img.unlink()
        img.mkdir()
        return f'The image {img} cannot be read. Got: Is a directory'
    if fault == 'size':
        cv2.imwrite(str(label), np.zeros((20, 16), np.uint8))
        return rf'The label {label} and its image differ in size. Got: label \(20, 16\)'
    assert fault == 'value'
    pixels = cv2.imread(str(label), cv2.IMREAD_UNCHANGED)
    pixels[15, 19] = 19
    cv2.imwrite(str(label), pixels)
    return f'The label of {label} holds values that are no class. Got: 19 in 1 pixels'


FAULTS = ('truncated', 'empty', 'text', 'missing', 'folder', 'size', 'value')


def dataset_cfg(root, pipeline=(*LOAD, *CROP), **more) -> dict:
    return dict(type='BaseSegDataset', data_root=str(root), img_suffix='.png',
                metainfo=dict(classes=CLASSES), pipeline=list(pipeline),
                data_prefix=dict(img_path='img', seg_map_path='ann'), **more)


def loader_of(dataset: dict, workers: int = 0, **more):
    return build_dataloader(dict(
        dataset=DATASETS.build(dataset), batch_size=2, sampler=dict(type='DefaultSampler'),
        num_workers=workers, persistent_workers=True, **more), seed=1, stream=True)


def names(loader) -> list[str]:
    """The images of one epoch, in order."""
    seek(loader, 0, 0)
    try:
        return [sample.metainfo['img_path'].rsplit('/', 1)[1]
                for batch in loader for sample in batch['data_samples']]
    finally:  # as the Runner does: left to the garbage collector, workers take seconds to end
        if loader._iterator is not None:
            loader._iterator._shutdown_workers()
            loader._iterator = None


@pytest.mark.parametrize('fault', [f for f in FAULTS if f != 'value'])
@pytest.mark.parametrize('workers', [0, 2])
def test_an_unusable_file_names_itself(root, fault, workers):
    loader = loader_of(dataset_cfg(root), workers)
    said = spoil(root, fault)
    with pytest.raises(DataError, match=said) as error:
        names(loader)
    assert '\n' not in str(error.value)
    assert 'Traceback' not in str(error.value)


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('workers', [0, 2])
def test_the_switch_leaves_it_out_and_says_why(root, fault, workers):
    loader = loader_of(dataset_cfg(root), workers, skip_bad_samples=1)
    said = spoil(root, fault)
    found = names(loader)
    assert len(found) == NUM
    assert set(found) == {f'{i}.png' for i in range(NUM) if i != 2}
    one, = loader.skipped
    assert one.name == str(root / 'img/2.png')
    with pytest.raises(DataError, match=said):
        raise DataError(one.reason)


def test_a_bad_value_is_found_wherever_the_crop_lies(root):
    """Only the last pixel is bad; crops of 8 x 8 from 16 x 20 rarely hold it."""
    loader = loader_of(dataset_cfg(root), skip_bad_samples=True)
    spoil(root, 'value')
    for _ in range(4):
        assert '2.png' not in names(loader)
    unguarded = loader_of(dataset_cfg(root))
    assert names(unguarded).count('2.png') == 1  # the model looks at what the crop holds


WRAPPED = {
    'RepeatDataset': lambda inner: dict(type='RepeatDataset', dataset=inner, times=2),
    'ConcatDataset': lambda inner: dict(type='ConcatDataset', datasets=[inner, inner]),
    'repeated join': lambda inner: dict(type='RepeatDataset', times=2, dataset=dict(
        type='ConcatDataset', datasets=[inner, inner])),
}


@pytest.mark.parametrize('kind', WRAPPED)
@pytest.mark.parametrize('fault', ['empty', 'value'])
def test_wrapped_data_sets_name_the_file_inside(root, kind, fault):
    loader = loader_of(WRAPPED[kind](dataset_cfg(root)), skip_bad_samples=1)
    spoil(root, fault)
    found = names(loader)
    assert len(found) == len(loader.dataset)
    assert '2.png' not in found
    assert {one.name for one in loader.skipped} == {str(root / 'img/2.png')}


def test_a_mosaic_with_a_bad_part_is_replaced_and_the_part_is_named(root):
    mixed = dict(type='MultiImageMixDataset', dataset=dataset_cfg(root, LOAD), pipeline=[
        dict(type='RandomMosaic', prob=1, img_scale=(8, 8)), dict(type='PackSegInputs')])
    loader = loader_of(mixed, skip_bad_samples=1)
    spoil(root, 'empty')
    assert len(names(loader)) == NUM
    assert {one.name for one in loader.skipped} == {str(root / 'img/2.png')}


def test_a_slice_of_a_data_set_is_checked_too(root):
    loader = loader_of(dataset_cfg(root), skip_bad_samples=True, num_batch_per_epoch=3)
    spoil(root, 'value')
    assert '2.png' not in names(loader)


def test_binary_labels_of_one_class_are_no_bad_samples(root):
    for i in range(NUM):
        cv2.imwrite(str(root / f'ann/{i}.png'), np.eye(16, 20, dtype=np.uint8))
    cfg = {**dataset_cfg(root), 'metainfo': dict(classes=('vessel',))}
    loader = loader_of(cfg, skip_bad_samples=1)
    assert len(set(names(loader))) == NUM
    assert loader.skipped == []
