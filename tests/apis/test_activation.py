"""`cam` of the quickstart's model: whose evidence it is, where it is laid, and mistakes."""

import cv2
import numpy as np
import pytest
import torch

from segplug.apis import cam, load_model
from segplug.apis.activation import class_id_of
from segplug.apis.model import Model
from segplug.cli import visualization_cam
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError
from segplug.registry import MODELS

CONFIG = 'unet/unet_r18_minicity.py'
CLASSES = ('road', 'traffic light', '3')


def predicted(model, image):
    return np.unique(model.predict(image).labels).tolist()


def test_of_the_last_layer_heat_is_the_logit_without_its_bias(model, image):
    """There hirescam is relu(w_k a) at the pixels of the class, and 0 elsewhere."""
    class_id = predicted(model, image)[0]
    found, = cam(model, None, image, class_id, layer='decode_head.blocks.4', method='hirescam')
    labels = model.predict(image).labels
    assert np.array_equal(found.labels, labels)
    assert found.pixels == (labels == class_id).sum()
    assert not found.heat[labels != class_id].any()
    assert found.heat.max() == 1
    assert found.heat.shape == labels.shape
    assert found.overlay().shape == found.prediction().shape == (64, 128, 3)
    gray = cv2.cvtColor(found.image.picture, cv2.COLOR_RGB2GRAY)
    where = found.heat == 0
    assert np.array_equal(found.overlay()[where], gray[where][:, None].repeat(3, 1))


def test_the_score_is_of_the_region(model, image):
    """The upper half of the network's input, whatever it is labelled as; and nothing is left."""
    found, = cam(model, None, image, 'road', region=(0, 0, 128, 32), layer='backbone:2')
    assert found.pixels == 128 * 32
    assert all(p.requires_grad for p in model.net.parameters())
    with torch.no_grad():
        data = model.net.data_preprocessor(dict(inputs=[torch.from_numpy(
            cv2.imread(str(image)).transpose(2, 0, 1).copy())]), False)
        logits = model.net.encode_decode(data['inputs'], [dict(pad_shape=(64, 128))])
    assert logits.shape[2:] == (64, 128)
    assert found.score == pytest.approx(logits[0, 0, :32].sum().item(), rel=1e-4)
    assert 'gradcam at backbone:2' in str(found)


def test_the_default_layer_is_the_last_that_matters(trained, tiny, image):
    """A head that reads the first three levels: the last two have no gradient."""
    net = load_model(CONFIG, trained.checkpoint, options=tiny)
    net.net.decode_head = MODELS.build(dict(
        type='FCNHead', in_channels=16, in_index=2, channels=4, num_convs=1,
        num_classes=19)).eval()
    found, = cam(net, None, image, 'road', region=(0, 0, 8, 8))
    assert found.layer.startswith('backbone:2 16x8x16')
    with pytest.raises(ConfigError, match="do not depend on what 'backbone.layer4' gives"):
        cam(net, None, image, 'road', region=(0, 0, 8, 8), layer='backbone.layer4')


def test_classes_by_name_and_id():
    assert [class_id_of(given, CLASSES) for given in ('road', 'Traffic Light', 1, '0', '3')] == [
        0, 1, 1, 0, 2]
    assert [class_id_of(given, ('Car', 'car')) for given in ('car', 'Car', 'CAR')] == [1, 0, 0]
    # A number is never a name: '3' is one.
    for given, said in (('raod', "did you mean 'road'"), (3000, '0 to 2'), (-1, '0 to 2'),
                        (3, '0 to 2')):
        with pytest.raises(ConfigError, match=said):
            class_id_of(given, CLASSES)


def test_mistakes(model, image, minicity):
    absent = next(k for k in range(19) if k not in predicted(model, image))
    with pytest.raises(ConfigError, match='No pixel is labelled.* %.*--region'):
        cam(model, None, image, absent)
    for given, said in ((dict(method='cam'), "'cam'.*gradcam"),
                        (dict(layer='backbone.layer9'), "'backbone.layer4'"),
                        (dict(layer='data_preprocessor'), 'not run in a prediction'),
                        (dict(region=(100, 0, 29, 1)), 'within 128x64 pixels'),
                        (dict(region=(0, 0, 0, 1)), 'not inside')):
        with pytest.raises(ConfigError, match=said):
            cam(model, None, image, 0, **given)


def test_nan_is_told(model, image):
    weight = model.net.decode_head.conv_seg.weight
    before = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(float('nan'))
    with pytest.raises(DataError, match='gave nan'):
        cam(model, None, image, 0, region=(0, 0, 8, 8))
    with torch.no_grad():
        weight.copy_(before)


def test_the_command(trained, image, options, tmp_path, capsys):
    assert main(['cam', CONFIG, str(trained.checkpoint), str(image), '--class', 'road', '13',
                 '--region', '0', '0', '20', '10', '--out', str(tmp_path), *options]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ['car.png', 'panel.png', 'road.png']
    out = capsys.readouterr().out
    assert 'car: gradcam at backbone:4 64x2x4, of 200 pixels' in out
    assert cv2.imread(str(tmp_path / 'car.png')).shape == (64, 128, 3)


def test_names_of_classes_are_names_of_files_of_their_own(model, image, tmp_path):
    """The sheet of all is panel.png, and 'a/b' and 'A_b' are one file on some disks."""
    named = Model(model.net, model.cfg, ['panel', 'a/b', 'A_b', *model.classes[3:]])
    found = cam(named, None, image, ['panel', 'a/b', 'A_b', 'traffic light'],
                region=(0, 0, 8, 8), out=tmp_path)
    names = ['panel_0.png', 'a_b_1.png', 'A_b_2.png', 'traffic_light.png']
    assert [path.name for path in found.files] == [*names, 'panel.png']
    assert np.array_equal(cv2.imread(str(tmp_path / 'panel_0.png'))[..., ::-1], found[0].overlay())


def test_mmsegmentations_arguments(model, trained, image, options, tmp_path):
    there = predicted(model, image)[0]
    assert visualization_cam.main([
        str(image), CONFIG, str(trained.checkpoint), '--target-layers', 'backbone.layer4[1]',
        '--category-index', str(there), '--out-file', str(tmp_path / 'p.png'), '--cam-file',
        str(tmp_path / 'c.png'), '--device', 'cpu', *options]) == 0
    found, = cam(model, None, image, there, layer='backbone.layer4.1')
    assert np.array_equal(cv2.imread(str(tmp_path / 'c.png'))[..., ::-1], found.overlay())
    assert np.array_equal(cv2.imread(str(tmp_path / 'p.png'))[..., ::-1], found.prediction())
