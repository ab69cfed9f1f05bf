"""Volumes: which axis is which, for both kinds of file, and what is none."""

import importlib.util

import numpy as np
import pytest

from segplug.datasets import array_files
from segplug.datasets.transforms.loading_biomedical import (
    LoadBiomedicalAnnotation,
    LoadBiomedicalData,
    LoadBiomedicalImageFromFile,
)
from segplug.errors import ConfigError, DataError

# (N, Z, Y, X), the last modality a label.
VOLUME = np.random.default_rng(0).integers(0, 5, (3, 4, 5, 6)).astype(float)


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / 'all.npy', VOLUME)
    np.save(tmp_path / 'one.npy', VOLUME[0])
    np.savez(tmp_path / 'one.npz', VOLUME[0])
    np.save(tmp_path / 'flat.npy', VOLUME[0, 0])
    np.save(tmp_path / 'half.npy', VOLUME[0] + 0.5)
    # As NIfTI has them: X Y Z, modalities last.
    np.save(tmp_path / 'all.nii.npy', VOLUME.transpose(3, 2, 1, 0))
    np.save(tmp_path / 'one.nii.npy', VOLUME[0].transpose(2, 1, 0))
    for name in ('all', 'one'):
        (tmp_path / f'{name}.nii.npy').rename(tmp_path / f'{name}.nii')
    return tmp_path


@pytest.fixture
def nifti(monkeypatch):
    """Files of numpy stand in for NIfTI's, which need a package of their own."""
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: name)
    monkeypatch.setattr(array_files, 'read_nifti', array_files.read_npy)


@pytest.mark.parametrize('suffix', ['npy', 'nii'])
def test_axes(folder, nifti, suffix):
    backend = 'numpy' if suffix == 'npy' else 'nifti'
    every, one = str(folder / f'all.{suffix}'), str(folder / f'one.{suffix}')
    results = LoadBiomedicalImageFromFile(backend)(dict(img_path=every))
    assert results['img'].dtype == np.float32
    assert results['img_shape'] == results['ori_shape'] == (4, 5, 6)
    np.testing.assert_array_equal(results['img'], VOLUME)
    results = LoadBiomedicalImageFromFile(backend, to_float32=False)(dict(img_path=one))
    assert results['img'].dtype == np.float64
    np.testing.assert_array_equal(results['img'], VOLUME[:1])
    results = LoadBiomedicalAnnotation(backend)(dict(results, seg_map_path=one))
    assert results['gt_seg_map'].dtype == np.uint8
    assert results['seg_fields'] == ['gt_seg_map']
    np.testing.assert_array_equal(results['gt_seg_map'], VOLUME[0])
    results = LoadBiomedicalData(True, backend)(dict(img_path=every))
    np.testing.assert_array_equal(results['img'], VOLUME[:2])
    np.testing.assert_array_equal(results['gt_seg_map'], VOLUME[2])
    assert 'gt_seg_map' not in LoadBiomedicalData(False, backend)(dict(img_path=every))
    # X, Y, Z
    results = LoadBiomedicalData(True, backend, to_xyz=True)(dict(img_path=every))
    np.testing.assert_array_equal(results['img'], VOLUME[:2].transpose(0, 3, 2, 1))
    np.testing.assert_array_equal(results['gt_seg_map'], VOLUME[2].transpose(2, 1, 0))


def test_an_archive_of_one_array(folder):
    results = LoadBiomedicalImageFromFile('numpy')(dict(img_path=str(folder / 'one.npz')))
    np.testing.assert_array_equal(results['img'], VOLUME[:1])


def test_what_is_no_volume(folder):
    image, label = LoadBiomedicalImageFromFile('numpy'), LoadBiomedicalAnnotation('numpy')
    with pytest.raises(DataError, match=r'flat\.npy is no volume. Got: \(5, 6\)'):
        image(dict(img_path=str(folder / 'flat.npy')))
    with pytest.raises(DataError, match=r'half\.npy holds values that are no whole numbers'):
        label(dict(seg_map_path=str(folder / 'half.npy')))
    with pytest.raises(DataError, match=r'all\.npy has several modalities'):
        label(dict(seg_map_path=str(folder / 'all.npy')))
    with pytest.raises(DataError, match=r'one\.npy and its image differ in size'):
        label(dict(seg_map_path=str(folder / 'one.npy'), ori_shape=(4, 5, 7)))
    with pytest.raises(DataError, match='has no label as its last modality'):
        LoadBiomedicalData()(dict(img_path=str(folder / 'one.npy')))
    (folder / 'bad.npy').write_bytes(b'\x80\x04N.')
    with pytest.raises(DataError, match=r'bad\.npy cannot be decoded.*pickle'):
        image(dict(img_path=str(folder / 'bad.npy')))


def test_backends_that_there_are_not(monkeypatch):
    with pytest.raises(ConfigError, match='no such decode_backend.*a pickle runs whatever'):
        LoadBiomedicalData(decode_backend='pickle')
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ConfigError, match='nibabel, which is not installed.*pip install nibabel'):
        LoadBiomedicalImageFromFile()


@pytest.mark.parametrize('suffix', ['nii', 'nii.gz'])
def test_files_of_nibabel(tmp_path, suffix):
    nibabel = pytest.importorskip('nibabel')
    path = str(tmp_path / f'a.{suffix}')
    nibabel.save(nibabel.Nifti1Image(VOLUME.transpose(3, 2, 1, 0), np.eye(4)), path)
    np.testing.assert_array_equal(LoadBiomedicalImageFromFile()(dict(img_path=path))['img'],
                                  VOLUME)
