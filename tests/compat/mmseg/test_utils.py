"""Registering, prefixes, padding of a batch, decoding."""

import gzip
import io

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData

from segplug.errors import ConfigError, ShapeError
from segplug.structures import SegDataSample


def test_register_all_modules_sets_the_scope(lent, monkeypatch):
    monkeypatch.setattr(DefaultScope, '_instance_dict', type(DefaultScope._instance_dict)())
    from mmseg.utils import register_all_modules
    register_all_modules(init_default_scope=False)
    assert DefaultScope.get_current_instance() is None
    register_all_modules()
    DefaultScope.get_instance('other', scope_name='mmdet')
    with pytest.warns(UserWarning, match='scope "mmdet" is not "mmseg"'):
        register_all_modules()
    register_all_modules()
    assert DefaultScope.get_current_instance().scope_name == 'mmseg'


def test_add_prefix(lent):
    from mmseg.utils import add_prefix
    assert add_prefix(dict(loss=1), 'aux') == {'aux.loss': 1}


def test_stack_batch_pads_at_the_right_and_below(lent):
    from mmseg.utils import stack_batch
    images = [torch.ones(3, 4, 5), torch.ones(3, 6, 2)]
    samples = [SegDataSample(gt_sem_seg=PixelData(data=torch.zeros(1, *img.shape[1:])))
               for img in images]
    batch, out = stack_batch(images, samples, size_divisor=4, pad_val=7)
    assert batch.shape == (2, 3, 8, 8)
    assert batch[0, 0, 3].tolist() == [1] * 5 + [7] * 3
    assert out[1].gt_sem_seg.data[0, 0].tolist() == [0, 0] + [255] * 6
    assert out[1].metainfo == dict(img_shape=(6, 2), pad_shape=(8, 8), padding_size=(0, 6, 0, 2))
    batch, out = stack_batch(images, size=(6, 9))
    assert out[0] == dict(img_padding_size=(0, 4, 0, 2), pad_shape=(6, 9))


def test_stack_batch_refuses(lent):
    from mmseg.utils import stack_batch
    with pytest.raises(ConfigError, match='one of them'):
        stack_batch([torch.ones(3, 4, 5)])
    for images in ([torch.ones(3, 4, 5), torch.ones(1, 4, 5)], [torch.ones(4, 5)],
                   torch.ones(2, 3, 4, 5)):
        with pytest.raises(ShapeError, match='list of images'):
            stack_batch(images, size=(8, 8))


def test_bytes(lent):
    from mmseg.utils import datafrombytes
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    file = io.BytesIO()
    np.save(file, array)
    assert np.array_equal(datafrombytes(file.getvalue()), array)
    png = cv2.imencode('.png', array)[1].tobytes()
    assert np.array_equal(datafrombytes(png, 'cv2'), array)
    with pytest.raises(ConfigError, match="'pickle'"):
        datafrombytes(b'', 'pickle')


def test_nifti(lent):
    nibabel = pytest.importorskip('nibabel')
    from mmseg.utils import datafrombytes
    volume = nibabel.Nifti1Image(np.ones((2, 2, 2), np.float32), np.eye(4))
    assert datafrombytes(gzip.compress(volume.to_bytes()), 'nifti').sum() == 8


def test_collect_env_names_both(lent):
    from mmseg.utils import collect_env
    assert 'segplug' in collect_env()['MMSegmentation']
