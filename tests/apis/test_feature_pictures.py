"""`features` of the quickstart's model: pictures show what the layers gave, where they saw it."""

import cv2
import numpy as np
import pytest
import torch

from segplug.apis import features, load_model
from segplug.apis.feature_pictures import list_layers
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError
from segplug.visualization.draw import heat_map

CONFIG = 'unet/unet_r18_minicity.py'


def test_the_maps_are_what_the_layers_gave(model, image):
    found = features(model, None, image, ['backbone', 'decode_head.conv_seg'])
    assert list(found.maps) == [f'backbone:{i}' for i in range(5)] + ['decode_head.conv_seg']
    bgr = torch.from_numpy(cv2.imread(str(image)).transpose(2, 0, 1).copy())
    data = model.net.data_preprocessor(dict(inputs=[bgr]), False)
    with torch.no_grad():
        levels = model.net.backbone(data['inputs'])
        logits = model.net.encode_decode(data['inputs'], [dict(pad_shape=(64, 128))])
    for i, level in enumerate(levels):
        np.testing.assert_allclose(found.maps[f'backbone:{i}'], level[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(found.maps['decode_head.conv_seg'], logits[0].numpy(), atol=1e-4)
    assert found.image.picture.shape == (64, 128, 3)
    assert 'backbone:4: 64x2x4' in str(found)
    assert found._repr_png_().startswith(b'\x89PNG')


def test_each_cell_is_a_rectangle_of_the_image(model, image):
    found = features(model, None, image, 'backbone:3')
    picture = found.picture('backbone:3', 'mean')  # 4 x 8 cells over 64 x 128 pixels
    cells = heat_map(found.maps['backbone:3'].mean(0))
    assert np.array_equal(picture, cells.repeat(16, 0).repeat(16, 1))


def test_padding_is_not_shown(model, trained, tiny, image):
    """Padded to 96 x 128, two thirds of each map are the image; the rest is cut off."""
    padded = load_model(CONFIG, trained.checkpoint, options={
        **tiny, 'model.data_preprocessor.test_cfg': dict(size=(96, 128))})
    found = features(padded, None, image, 'backbone:1')
    assert (found.image.size, found.image.valid) == ((96, 128), (64, 128))
    assert found.maps['backbone:1'].shape[1:] == (24, 32)
    expected = heat_map(found.maps['backbone:1'][:, :16].max(0))
    assert np.array_equal(found.picture('backbone:1', 'max'), expected.repeat(4, 0).repeat(4, 1))


def test_files(model, image, tmp_path):
    found = features(model, None, image, ['backbone.layer1[0].conv1', 'backbone:4'], top=4,
                     kinds=['pca', 'channels'], out=tmp_path)
    names = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob('*.png'))
    assert names == ['backbone.layer1_0_.conv1/channels.png', 'backbone.layer1_0_.conv1/pca.png',
                     'backbone_4/channels.png', 'backbone_4/pca.png', 'overview.png']
    assert sorted(found.files) == [tmp_path / name for name in names]
    written = cv2.imread(str(tmp_path / 'backbone_4' / 'pca.png'))[..., ::-1]
    assert np.array_equal(written, found.picture('backbone:4', 'pca'))


@pytest.mark.parametrize(('given', 'said'), [
    (dict(layers='backbone.layer7'), "no layer 'backbone.layer7'.*'backbone.layer4'"),
    (dict(layers='data_preprocessor'), 'not run in a prediction.*list'),
    (dict(layers='backbone:9'), 'no tensor 9.*0 to 4'),
    (dict(layers='backbone', kinds=['men']), "men.*mean, max"),
    (dict(layers='backbone', top=0), 'top=0')])
def test_mistakes(model, image, given, said):
    with pytest.raises(ConfigError, match=said):
        features(model, None, image, **given)


def test_nan_is_told(model, image):
    weight = model.net.backbone.conv1.weight
    before = weight.detach().clone()
    try:
        with torch.no_grad():
            weight[0] = float('nan')
        with pytest.raises(DataError, match=r"gave nan for .*\.png in backbone\.layer4"):
            features(model, None, image, 'backbone.layer4')
    finally:
        with torch.no_grad():
            weight.copy_(before)


def test_the_list_and_the_command(trained, image, options, tmp_path, capsys):
    text = list_layers(trained.checkpoint, None, image)
    assert 'backbone.layer4.1.conv2 ' in text
    assert ':4 64x2x4' in text
    command = ['features', CONFIG, str(trained.checkpoint), str(image), *options]
    assert main([*command, '--layers', 'list']) == 0
    assert capsys.readouterr().out.endswith(f'{text}\n')
    assert main([*command, '--out', str(tmp_path / 'f'), '--layers', 'backbone.layer4']) == 0
    assert len(list((tmp_path / 'f' / 'backbone.layer4').iterdir())) == 4
    with pytest.raises(DataError, match='not-there'):
        list_layers(trained.checkpoint, None, tmp_path / 'not-there.png')
