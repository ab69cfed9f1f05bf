"""Predicting to a folder: the test step's own labels, in files a person can look at."""

import gc
import os

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile
import torch
from PIL import Image

from segplug.apis import large, predicting
from segplug.apis.model import Model
from segplug.apis.predicting import predict
from segplug.apis.testing import test as score
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError

CONFIG = 'unet/unet_r18_minicity.py'


@pytest.fixture(scope='module')
def images(minicity):
    return sorted(str(p) for p in minicity.rglob('val/*/*_leftImg8bit.png'))


def test_labels_are_those_of_the_test(trained, tiny, minicity, images, tmp_path):
    score(CONFIG, str(trained.checkpoint), options=tiny, data_root=os.fspath(minicity),
          out=os.fspath(tmp_path / 'test'), work_dir=os.fspath(tmp_path / 'w'))
    result = predict(CONFIG, trained.checkpoint, images, tmp_path / 'predict', options=tiny)
    assert len(result.labels) == 3
    for file in result.labels:
        tested = cv2.imread(str(tmp_path / 'test' / 'predictions' / file.name), -1)
        assert np.array_equal(np.asarray(Image.open(file)), tested)


def test_the_command_writes_label_overlay_and_areas_of_each_image(
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
    areas = pd.read_csv(tmp_path / 'areas.csv')
    assert (areas.height.tolist(), areas.width.tolist()) == ([64, 64], [128, 128])
    assert (areas.iloc[:, 3:].sum(axis=1) == 64 * 128).all()
    labels = np.asarray(Image.open(tmp_path / 'labels' / f'{areas.image[1]}.png'))
    assert areas.road[1] == (labels == 0).sum()
    assert not (tmp_path / 'probs').exists()


def test_the_command_collects_garbage_while_it_labels(trained, images, tmp_path, monkeypatch):
    seen, stream = [], Model.stream
    monkeypatch.setattr(Model, 'stream', lambda *args, **kwargs: (
        seen.append(gc.isenabled()), stream(*args, **kwargs))[1])
    assert main(['predict', str(trained.checkpoint), images[0], '--out', str(tmp_path)]) == 0
    assert seen == [True]


def test_a_label_file_has_the_palette_of_its_classes(trained, images, tmp_path):
    result = predict(trained.checkpoint, None, images[0], tmp_path)
    with Image.open(result.labels[0]) as picture:
        assert picture.getpalette()[:6] == [128, 64, 128, 244, 35, 232], 'road, sidewalk'


def test_a_checkpoint_alone_on_the_command_line(trained, images, tmp_path, capsys):
    assert main(['predict', str(trained.checkpoint), images[0], '--out', str(tmp_path)]) == 0
    assert 'Labelled 1 image:' in capsys.readouterr().out
    with pytest.raises(SystemExit, match='2'):
        main(['predict', str(trained.checkpoint), '--out', str(tmp_path)])


def test_probabilities_in_both_forms(trained, images, tmp_path):
    npz = predict(trained.checkpoint, None, images[:1], tmp_path / 'a', probs='npz')
    name = npz.labels[0].stem
    with np.load(tmp_path / 'a' / 'probs' / f'{name}.npz') as saved:
        probs, classes = saved['probs'], saved['classes'].tolist()
    assert (probs.shape, probs.dtype, classes[6]) == ((19, 64, 128), np.float32, 'traffic light')
    predict(trained.checkpoint, None, images[:1], tmp_path / 'b', probs='png16')
    plane = cv2.imread(str(tmp_path / 'b' / 'probs' / name / 'traffic_light.png'), -1)
    assert plane.dtype == np.uint16
    assert np.abs(plane / 65535 - probs[6]).max() <= 0.5 / 65535 + 1e-7
    with pytest.raises(ConfigError, match="'jpg'"):
        predict(trained.checkpoint, None, images[:1], tmp_path / 'c', probs='jpg')


def test_earlier_predictions_are_not_overwritten_unasked(trained, images, tmp_path):
    predict(trained.checkpoint, None, images[0], tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob('*')}
    with pytest.raises(ConfigError, match='holds predictions already.*--overwrite'):
        predict(trained.checkpoint, None, images[1], tmp_path)
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob('*')}
    assert len(predict(trained.checkpoint, None, images[0], tmp_path, overwrite=True).labels) == 1
    with pytest.raises(ConfigError, match='is a file'):
        predict(trained.checkpoint, None, images[1], tmp_path / 'areas.csv')


def test_nothing_is_written_for_what_is_not_there(trained, images, tmp_path):
    out = tmp_path / 'out'
    with pytest.raises(DataError, match=r'no image nothing\.png'):
        predict(trained.checkpoint, None, [images[0], 'nothing.png'], out)
    with pytest.raises(ConfigError, match='nothing to label'):
        predict(trained.checkpoint, None, [], out)
    (tmp_path / 'text.png').write_text('text')
    (tmp_path / 'video.mp4').write_text('text')
    for name in ('text.png', 'video.mp4'):
        with pytest.raises(DataError, match=name):
            predict(trained.checkpoint, None, tmp_path / name, out)
    assert not [p for p in out.rglob('*') if p.is_file()]


def test_a_video_has_labels_of_each_frame_and_a_film(trained, images, tmp_path):
    path = tmp_path / 'street.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5, (128, 64))
    for image in images:
        writer.write(cv2.imread(image))
    writer.release()
    result = predict(trained.checkpoint, None, [path, images[0]], tmp_path / 'out')
    assert [p.relative_to(tmp_path / 'out' / 'labels').as_posix() for p in result.labels[:3]] == [
        f'street/{i:06d}.png' for i in range(3)]
    assert len(result.labels) == len(result.areas) == 4
    film = cv2.VideoCapture(str(tmp_path / 'out' / 'overlays' / 'street.mp4'))
    assert film.get(cv2.CAP_PROP_FPS) == 5
    assert [film.read()[0] for _ in range(4)] == [True] * 3 + [False]
    with pytest.raises(ConfigError, match='is a video'):
        predict(trained.checkpoint, None, path, tmp_path / 'again', probs='npz')


def test_a_video_that_is_cut_off_is_told(trained, images, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(predicting, 'print_log', lambda text, *args: said.append(text))
    path = tmp_path / 'street.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5, (128, 64))
    for _ in range(10):
        writer.write(cv2.imread(images[0]))
    writer.release()
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    found = predict(trained.checkpoint, None, path, tmp_path / 'out')
    assert 0 < len(found.labels) < 10
    assert said == [f'Of the 10 frames that {path} says it has, {len(found.labels)} could be '
                    'read: it may be cut off.']


def test_windows_write_by_rows_what_a_whole_test_finds(trained, tiny, images, tmp_path):
    scene = cv2.resize(cv2.imread(images[0]), (400, 300))
    cv2.imwrite(str(tmp_path / 'a.png'), scene)
    place = (0.0, 0.0, 0.0, 400000.0, 5600000.0, 0.0)
    tifffile.imwrite(tmp_path / 'b.tif', scene[..., ::-1], photometric='rgb',
                     extratags=[(33922, 'd', 6, place, True)])
    slides = {**tiny, 'model.test_cfg': dict(mode='slide', crop_size=(96, 128), stride=(72, 96))}
    whole = predict(CONFIG, trained.checkpoint, tmp_path / 'a.png', tmp_path / 'whole',
                    options=slides)
    expected = np.asarray(Image.open(whole.labels[0]))
    rows = predict(CONFIG, trained.checkpoint, [tmp_path / 'a.png', tmp_path / 'b.tif'],
                   tmp_path / 'rows', options=tiny, window=(96, 128))
    assert [p.name for p in rows.labels] == ['a.png', 'b.tif']
    for path in rows.labels:
        with Image.open(path) as picture:
            assert np.array_equal(np.asarray(picture), expected)
            assert picture.getpalette()[:3] == [128, 64, 128]
    with tifffile.TiffFile(rows.labels[1]) as written:
        assert written.pages[0].tags[33922].value == place
    overlays = [cv2.imread(str(out / 'overlays' / 'a.png'))
                for out in (tmp_path / 'whole', tmp_path / 'rows')]
    assert np.array_equal(*overlays)
    assert rows.areas.iloc[0, 1:].tolist() == whole.areas.iloc[0, 1:].tolist()


def test_several_scales_and_windows_are_refused_before_the_first_image(
        trained, tiny, images, tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / 'big.png'), np.zeros((65, 128, 3), np.uint8))
    monkeypatch.setattr(large, 'LARGE', 64 * 128)
    with pytest.raises(ConfigError, match=r'at one scale.*aug_test_cfg\.scales=\[1\.0\]'):
        predict(CONFIG, trained.checkpoint, [images[0], tmp_path / 'big.png'], tmp_path / 'out',
                options=tiny, aug_test=True)
    assert not (tmp_path / 'out').exists()
    result = predict(CONFIG, trained.checkpoint, [images[0], tmp_path / 'big.png'],
                     tmp_path / 'out', aug_test=True,
                     options={**tiny, 'aug_test_cfg.scales': [1.0], 'aug_test_cfg.flip': True})
    assert len(result.labels) == 2


def test_what_was_done_before_an_error_is_kept_and_not_done_again(trained, images, tmp_path):
    (tmp_path / 'broken.png').write_text('text')
    given, out = [*images[:2], tmp_path / 'broken.png', images[2]], tmp_path / 'out'
    with pytest.raises(DataError, match='broken.png'):
        predict(trained.checkpoint, None, given, out)
    kept = {p: p.stat().st_mtime_ns for p in (out / 'labels').iterdir()}
    assert len(pd.read_csv(out / 'areas.csv')) == len(kept) > 0
    cv2.imwrite(given[2], cv2.imread(images[0]))
    result = predict(trained.checkpoint, None, given, out, skip_existing=True)
    assert kept.items() <= {p: p.stat().st_mtime_ns for p in (out / 'labels').iterdir()}.items()
    assert result.skipped == len(kept)
    assert f'Labelled 4 images, {len(kept)} of them before: ' in str(result)
    whole = predict(trained.checkpoint, None, given, tmp_path / 'whole')
    assert [p.name for p in result.labels] == [p.name for p in whole.labels]
    assert (out / 'areas.csv').read_bytes() == (tmp_path / 'whole' / 'areas.csv').read_bytes()
    again = predict(trained.checkpoint, None, given, out, skip_existing=True, probs='png16')
    assert (again.skipped, len(list((out / 'probs').iterdir()))) == (0, 4)
    again = predict(trained.checkpoint, None, given, out, skip_existing=True, probs='png16')
    assert again.skipped == 4
    with pytest.raises(ConfigError, match='areas.csv is of another model'):
        predict(trained.checkpoint, None, given, out, skip_existing=True,
                classes=','.join(f'c{k}' for k in range(19)))


def test_a_map_s_labels_lie_where_it_lies(trained, images, tmp_path):
    scene, place = cv2.imread(images[0])[..., ::-1], (0.0, 0.0, 0.0, 400000.0, 5600000.0, 0.0)
    tifffile.imwrite(tmp_path / 'map.tif', scene, photometric='rgb',
                     extratags=[(33922, 'd', 6, place, True)])
    tifffile.imwrite(tmp_path / 'plain.tif', scene, photometric='rgb')
    result = predict(trained.checkpoint, None, [tmp_path / 'map.tif', tmp_path / 'plain.tif'],
                     tmp_path / 'out')
    assert [p.name for p in result.labels] == ['map.tif', 'plain.png']
    with tifffile.TiffFile(result.labels[0]) as written:
        assert written.pages[0].tags[33922].value == place
        assert np.array_equal(written.asarray(), np.asarray(Image.open(result.labels[1])))


def test_images_in_the_place_of_config_or_checkpoint(trained, images, tmp_path, capsys):
    for words, said in (([images[0], images[1]], 'is neither config nor checkpoint'),
                        ([CONFIG, images[0]], 'is no checkpoint'),
                        ([CONFIG, images[0], images[1]], 'is no checkpoint')):
        assert main(['predict', *words, '--out', str(tmp_path)]) == 1
        assert f'{images[0]} {said}' in capsys.readouterr().err


@pytest.mark.parametrize('size', ['0', '1,2,3', 'wide', '64,-1'])
def test_a_window_of_no_size(trained, images, tmp_path, capsys, size):
    assert main(['predict', str(trained.checkpoint), images[0], '--out', str(tmp_path),
                 '--window', size]) == 1
    assert 'height and width' in capsys.readouterr().err


def test_classes_of_an_mmsegmentation_checkpoint_or_of_the_config(trained, tiny, images, tmp_path):
    saved = torch.load(trained.checkpoint, weights_only=True)
    theirs = dict(dataset_meta=dict(classes=['a'] * 19, palette=[[1, 2, 3]] * 19))
    for number, (meta, first) in enumerate(((theirs, 'a 0'), ({}, 'road'))):
        torch.save({'state_dict': saved['state_dict'], 'meta': meta}, tmp_path / 'x.pth')
        result = predict(CONFIG, tmp_path / 'x.pth', images[0], tmp_path / str(number),
                         options=tiny)
        assert result.areas.columns[3] == first
