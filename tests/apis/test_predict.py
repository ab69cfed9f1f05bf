"""Predicting: the test step's own labels, in files a person can look at."""

import os

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from segplug.apis.predict import image_files, load_predictor, predict
from segplug.apis.test import test as score
from segplug.cli.main import main
from segplug.errors import DataError

CONFIG = 'unet/unet_r18_minicity.py'


@pytest.fixture(scope='module')
def images(minicity):
    return sorted(str(p) for p in minicity.rglob('val/*/*_leftImg8bit.png'))


def test_labels_are_those_of_the_test(trained, tiny, minicity, images, tmp_path):
    score(CONFIG, str(trained.checkpoint), options=tiny, data_root=os.fspath(minicity),
          out=os.fspath(tmp_path / 'test'), work_dir=os.fspath(tmp_path / 'w'))
    files = predict(CONFIG, str(trained.checkpoint), images, os.fspath(tmp_path / 'predict'),
                    options=tiny)
    assert len(files) == 3
    for file in files:
        tested = cv2.imread(str(tmp_path / 'test' / 'predictions' / file.name), -1)
        assert np.array_equal(np.asarray(Image.open(file)), tested)


def test_the_command_writes_label_and_overlay_of_each_image_at_its_size(
        trained, options, images, tmp_path, capsys):
    code = main(['predict', CONFIG, str(trained.checkpoint), *images[:2], '--out', str(tmp_path),
                 *options])
    assert code == 0
    assert 'Labelled 2 images' in capsys.readouterr().out
    for folder, mode in (('labels', 'P'), ('overlays', 'RGB')):
        written = sorted((tmp_path / folder).glob('*.png'))
        assert len(written) == 2
        with Image.open(written[0]) as picture:
            assert (picture.mode, picture.size) == (mode, (128, 64))


def test_a_label_file_has_the_palette_of_its_classes(trained, tiny, images, tmp_path):
    (file,) = predict(CONFIG, str(trained.checkpoint), images[:1], os.fspath(tmp_path),
                      options=tiny)
    with Image.open(file) as picture:
        assert picture.getpalette()[:6] == [128, 64, 128, 244, 35, 232], 'road, sidewalk'


def test_classes_come_from_the_checkpoint(trained, tiny):
    predictor = load_predictor(CONFIG, str(trained.checkpoint), options=tiny)
    assert len(predictor.classes) == len(predictor.palette) == 19


def test_a_folder_means_all_images_below_it(minicity):
    assert len(image_files([os.fspath(minicity / 'leftImg8bit' / 'val')])) == 3


def test_a_missing_image_stops_before_anything_is_written(trained, tiny, images, tmp_path):
    out = tmp_path / 'out'
    with pytest.raises(DataError, match='no image nothing.png'):
        predict(CONFIG, str(trained.checkpoint), [images[0], 'nothing.png'], os.fspath(out),
                options=tiny)
    assert not out.exists()
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match='holds no image'):
        image_files([os.fspath(tmp_path / 'empty')])


def test_classes_of_an_mmsegmentation_checkpoint_or_of_the_config(trained, tiny, tmp_path):
    saved = torch.load(trained.checkpoint, weights_only=True)
    theirs = dict(dataset_meta=dict(classes=['a'] * 19, palette=[[1, 2, 3]] * 19))
    for meta, first in ((theirs, 'a'), ({}, 'road')):
        torch.save({'state_dict': saved['state_dict'], 'meta': meta}, tmp_path / 'x.pth')
        predictor = load_predictor(CONFIG, str(tmp_path / 'x.pth'), options=tiny)
        assert predictor.classes[0] == first
        assert len(predictor.palette) == 19
