"""`load_model` and what it labels: files, arrays, pictures, videos, and what is too large."""

import json
import os
import threading
import time

import cv2
import numpy as np
import pytest
import tifffile
import torch
from mmcv.transforms import BaseTransform
from PIL import Image

from segplug.apis import large
from segplug.apis.model import Model, load_model
from segplug.apis.testing import test as score
from segplug.errors import CheckpointError, ConfigError, DataError
from segplug.ops.fuse import labels_of

CONFIG = 'unet/unet_r18_minicity.py'


@pytest.fixture(scope='module')
def images(minicity):
    return sorted(p for p in minicity.rglob('val/*/*_leftImg8bit.png'))


@pytest.fixture(scope='module')
def model(trained):
    return load_model(trained.checkpoint)


# --- loading ------------------------------------------------------------------------------


def test_a_checkpoint_alone_is_enough(model, trained, tiny, images):
    both = load_model(CONFIG, trained.checkpoint, options=tiny)
    assert json.dumps(model.cfg.model.to_dict()) == json.dumps(both.cfg.model.to_dict())
    assert (model.classes[0], list(model.palette[0]), len(model.classes)) == (
        'road', [128, 64, 128], 19)
    assert np.array_equal(model.predict(images[0]).labels, both.predict(images[0]).labels)
    assert repr(model) == 'Model(EncoderDecoder of ResNet, UNetHead; 19 classes; on cpu)'


def test_a_single_class_is_label_1(model):
    net = torch.nn.Module()
    net.out_channels = 1  # a sigmoid
    found = Model(net, model.cfg, ['crack'], [(255, 0, 0)])
    assert found.classes == ('not crack', 'crack')
    assert list(found.palette) == [(0, 0, 0), (255, 0, 0)]
    assert Model(net, model.cfg, ['sound', 'crack']).classes == ('sound', 'crack')


@pytest.mark.parametrize(('cfg', 'said'), [
    (None, 'holds no config'), ("model = dict(type='EncoderDecoder')", 'is no JSON'),
    ('[1]', 'is no dict')])
def test_a_checkpoint_without_a_config_asks_for_one(cfg, said, trained, tmp_path):
    saved = torch.load(trained.checkpoint, weights_only=True)
    saved['meta'] = dict(saved['meta'], cfg=cfg)
    torch.save(saved, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match=f'{said}.*give the config too'):
        load_model(tmp_path / 'x.pth')


def test_a_config_in_a_checkpoint_is_data(trained, tmp_path):
    saved = torch.load(trained.checkpoint, weights_only=True)
    content = json.loads(saved['meta']['cfg'])
    for change in (dict(type='os.system'), dict(backbone=dict(type='subprocess.Popen'))):
        hostile = dict(content, model={**content['model'], **change},
                       custom_imports=dict(imports=['antigravity']))
        saved['meta']['cfg'] = json.dumps(hostile)
        torch.save(saved, tmp_path / 'x.pth')
        with pytest.raises(ConfigError, match='only a Python config.*import antigravity before'):
            load_model(tmp_path / 'x.pth')


def test_a_registered_class_may_stand_by_its_path(trained, tmp_path):
    """As the config of a Python-style config is written down."""
    saved = torch.load(trained.checkpoint, weights_only=True)
    content = json.loads(saved['meta']['cfg'])
    content['model']['type'] = 'segplug.models.segmentors.encoder_decoder.EncoderDecoder'
    saved['meta']['cfg'] = json.dumps(content)
    torch.save(saved, tmp_path / 'x.pth')
    assert load_model(tmp_path / 'x.pth').cfg.model.type == 'EncoderDecoder'


# --- images -------------------------------------------------------------------------------


def test_labels_are_those_of_the_test(model, trained, tiny, minicity, images, tmp_path):
    score(CONFIG, str(trained.checkpoint), options=tiny, data_root=os.fspath(minicity),
          out=os.fspath(tmp_path), work_dir=os.fspath(tmp_path / 'w'))
    found = model.predict(images[0].parents[1])
    assert [one.name for one in found] == [str(path) for path in images]
    for one, path in zip(found, images, strict=True):
        tested = cv2.imread(str(tmp_path / 'predictions' / path.name), -1)
        assert np.array_equal(one.labels, tested)


def test_all_kinds_of_sources_give_the_same_labels(model, images, tmp_path):
    expected = model.predict(images[0])
    assert expected.image.shape == (64, 128, 3)
    bgr = cv2.imread(str(images[0]))
    np.save(tmp_path / 'a.npy', bgr)
    for source, options in ((bgr, {}), (bgr[..., ::-1], dict(channel_order='rgb')),
                            (Image.open(images[0]), {}), (str(images[0]), {}),
                            (tmp_path / 'a.npy', {})):
        found = model.predict(source, **options)
        assert np.array_equal(found.labels, expected.labels)
        if not isinstance(source, os.PathLike):
            assert np.array_equal(found.overlay(), expected.overlay())
    several = model.predict([images[0], bgr])
    assert [one.name for one in several] == [str(images[0]), 'array']
    assert np.array_equal(several[1].labels, expected.labels)


def test_frames_of_a_video(model, images, tmp_path):
    frames = [cv2.imread(str(path)) for path in images[:2]]
    writer = cv2.VideoWriter(str(tmp_path / 'v.avi'), cv2.VideoWriter_fourcc(*'FFV1'), 5,
                             (128, 64))
    if not writer.isOpened():
        pytest.skip('OpenCV has no lossless codec here')
    for frame in frames:
        writer.write(frame)
    writer.release()
    found = list(model.stream(tmp_path / 'v.avi'))
    assert [one.name for one in found] == ['v.avi, frame 0', 'v.avi, frame 1']
    assert [one.labels.shape for one in found] == [(64, 128)] * 2


@pytest.mark.parametrize('image', [np.zeros((0, 5, 3), np.uint8), np.zeros(5), None, 3.5])
def test_what_is_no_image(model, image):
    with pytest.raises(DataError, match='no image'):
        model.predict([image])


@pytest.mark.parametrize('image', [None, 3.5, b'bytes'])
def test_what_cannot_be_several_images_either(model, image):
    with pytest.raises(DataError, match=f'no image. Got: {type(image).__name__}'):
        model.predict(image)


def test_frames_in_a_buffer_that_is_used_again(model, images):
    buffer = np.empty((64, 128, 3), np.uint8)

    def frames():
        for path in images:
            buffer[:] = cv2.imread(str(path))
            yield buffer
    found = list(model.stream(frames()))
    for one, path in zip(found, images, strict=True):
        expected = model.predict(path)
        assert np.array_equal(one.labels, expected.labels)
        assert np.array_equal(one.image, expected.image)


def test_readers_find_their_pipeline_made(model, images):
    """Making one sets the default scope of all threads, so the readers leave it to who asks."""
    makers = []

    class Slow(BaseTransform):
        def __init__(self):
            time.sleep(0.05)  # so that a second reader would find none, too
            makers.append(threading.current_thread())

        def transform(self, results):
            return results

    other = Model(model.net, model.cfg, model.classes)
    other.steps.insert(1, dict(type=Slow))
    assert len(list(other.stream([*images, np.zeros((8, 8, 3), np.uint8)]))) == len(images) + 1
    assert makers == [threading.main_thread()] * 2


def test_an_image_of_other_channels_is_named(trained, tiny, images, tmp_path):
    model = load_model(CONFIG, trained.checkpoint, options={
        **tiny, 'test_dataloader.dataset.pipeline.0.color_type': 'unchanged'})
    cv2.imwrite(str(tmp_path / 'alpha.png'), np.zeros((8, 8, 4), np.uint8))
    said = 'alpha.png does not fit the model. Got: 4 channels. Expected: 3'
    with pytest.raises(DataError, match=said):
        model.predict([images[0], tmp_path / 'alpha.png'])
    with pytest.raises(DataError, match=said), \
            model.by_rows(tmp_path / 'alpha.png', window=(8, 8)):
        pass


def test_a_text_file_is_no_image(model, tmp_path):
    (tmp_path / 'a.png').write_text('some text')
    with pytest.raises(DataError, match=r'a\.png'):
        model.predict(tmp_path / 'a.png')
    with pytest.raises(ConfigError, match="'bgr' or 'rgb'"):
        model.predict(np.zeros((4, 4, 3), np.uint8), channel_order='bgra')


def test_probabilities_sum_to_one_and_their_maxima_are_the_labels(trained, tiny, images):
    for options in ({}, {'model.test_cfg.flip': True}):
        model = load_model(CONFIG, trained.checkpoint, options={**tiny, **options})
        found = model.predict(images[0], probs=True)
        assert found.probs.shape == (19, 64, 128)
        assert found.probs.dtype == np.float32
        np.testing.assert_allclose(found.probs.sum(axis=0), 1, atol=1e-5)
        again = labels_of(torch.from_numpy(found.probs)).numpy()
        assert (again == found.labels).mean() > 0.999  # equal but for rounding of ties
        assert model.predict(images[0]).probs is None
    assert not model.net.tta_cfg.save_logits


# --- large images -------------------------------------------------------------------------


@pytest.fixture
def scene(images):
    """300 x 400 pixels of streets."""
    return cv2.resize(cv2.imread(str(images[0])), (400, 300))


@pytest.fixture
def slides(trained, tiny):
    return load_model(CONFIG, trained.checkpoint, options={
        **tiny, 'model.test_cfg': dict(mode='slide', crop_size=(96, 128), stride=(64, 96))})


@pytest.mark.parametrize('name', ['a.png', 'a.tif'])
def test_by_rows_as_whole(slides, scene, name, tmp_path, monkeypatch):
    write = tifffile.imwrite if name.endswith('tif') else cv2.imwrite
    write(str(tmp_path / name), scene[..., ::-1] if name.endswith('tif') else scene)
    whole = slides.predict(tmp_path / name)
    monkeypatch.setattr(large, 'LARGE', 300 * 400 - 1)
    by_rows = slides.predict(tmp_path / name)
    assert np.array_equal(by_rows.labels, whole.labels)
    with pytest.raises(ConfigError, match='too large for its probabilities'):
        slides.predict(tmp_path / name, probs=True)
    monkeypatch.setattr(large, '_SIDE', 100)
    with slides.by_rows(tmp_path / name) as (image, bands):
        heights = [len(band) for band in bands]
        assert sum(heights) == 300
        assert max(heights) == 64  # a row of windows, every 64 rows, as far as no other reaches
        assert np.array_equal(image.picture(), scene[::4, ::4, ::-1])


def test_a_model_without_windows_gets_some(model, scene, tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), scene)
    with model.by_rows(tmp_path / 'a.png', window=(128, 128), stride=(96, 96)) as (_, bands):
        assert np.concatenate(list(bands)).shape == (300, 400)
    assert large.window_cfg(model.net.tta_cfg).crop_size == (512, 512)
    assert large.window_cfg(model.net.tta_cfg, (96, 64)).stride == (72, 48)


def test_what_cannot_be_done_by_rows(trained, tiny, scene, tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / 'a.png'), scene)
    several = load_model(CONFIG, trained.checkpoint, options=tiny, aug_test=True)
    with pytest.raises(ConfigError, match='tested at one scale'), \
            several.by_rows(tmp_path / 'a.png'):
        pass
    padded = load_model(CONFIG, trained.checkpoint, options=tiny)
    padded.steps.insert(1, dict(type='Pad', size=(512, 512)))
    with pytest.raises(ConfigError, match='Pad of the test pipeline needs the whole image'), \
            padded.by_rows(tmp_path / 'a.png'):
        pass
    cv2.imwrite(str(tmp_path / 'deep.png'), scene[..., 0].astype(np.uint16))
    model = load_model(CONFIG, trained.checkpoint, options=tiny)
    with pytest.raises(ConfigError, match='leave pixels out.*64x64, 65x10'), \
            model.by_rows(tmp_path / 'a.png', (64, 64), (65, 10)):
        pass
    monkeypatch.setattr(large, 'LARGE', 1)
    with pytest.raises(DataError, match='cannot be read by rows as color'), \
            model.by_rows(tmp_path / 'deep.png'):
        pass


@pytest.mark.parametrize('name', ['turned.jpg', 'deep.png', 'lzw.tif'])
def test_windows_see_what_the_loader_reads(model, scene, name, tmp_path):
    """A window as large as the image is the whole test, whatever the file is."""
    if name == 'deep.png':
        cv2.imwrite(str(tmp_path / name), scene[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(scene[..., ::-1])
        tag = picture.getexif()
        tag[274] = 6
        picture.save(tmp_path / name, exif=tag, **(
            dict(compression='tiff_lzw') if name == 'lzw.tif' else {}))
    whole = model.predict(tmp_path / name)
    assert whole.labels.shape == ((300, 400) if name == 'deep.png' else (400, 300))
    with model.by_rows(tmp_path / name, window=whole.labels.shape) as (image, bands):
        assert np.array_equal(np.concatenate(list(bands)), whole.labels)
        assert np.array_equal(image.picture(), whole.image)


@pytest.mark.parametrize(('loader', 'dtype', 'channels'), [
    (dict(type='LoadImageFromFile'), 'uint8', 1), (dict(type='LoadImageFromFile'), 'uint8', 4),
    (dict(type='LoadImageFromFile', color_type='unchanged'), 'uint16', 1),
    (dict(type='LoadImageFromFile', color_type='unchanged'), 'uint8', 4),
    (dict(type='LoadImageFromFile', color_type='grayscale', to_float32=True), 'uint8', 1),
    (dict(type='LoadSingleRSImageFromFile'), 'uint8', 3)])
def test_rows_are_fitted_as_the_loader_fits_the_image(loader, dtype, channels, tmp_path):
    from segplug.datasets.rasters import open_raster
    from segplug.registry import TRANSFORMS
    draws = np.random.default_rng(0)
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), draws.integers(0, 200, (9, 7, channels)).astype(dtype))
    expected = TRANSFORMS.build(loader)(dict(img_path=str(path)))['img']
    with open_raster(path) as raster:
        found = large._fitting(path, raster, loader)(raster.rows(0, 9))
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)
    assert found.dtype == expected.dtype
