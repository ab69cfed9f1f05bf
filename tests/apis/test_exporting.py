"""`export`: one file, beside the model that it was made of, or none."""

import json
import runpy
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_nets import net, psp_net

from segplug.apis import export as exported
from segplug.apis.config import load_config
from segplug.apis.exporting import target_for, write
from segplug.apis.model import Model, load_model
from segplug.cli.main import main
from segplug.errors import ConfigError
from segplug.export import check
from segplug.export.settings import Settings

CONFIG = 'unet/unet_r18_minicity.py'
SCRIPT = dict(format='torchscript', shape=(32, 48))
NEW = pytest.mark.skipif(not hasattr(torch.export.Dim, 'DYNAMIC'), reason='torch before 2.6')


def model_of(segmentor):
    names = [f'class {i}' for i in range(segmentor.num_classes)]
    return Model(segmentor, load_config(CONFIG), names)


@pytest.fixture(scope='module')
def onnx_file(trained, tmp_path_factory):
    """What the command line writes, and says."""
    pytest.importorskip('onnxruntime')
    path = tmp_path_factory.mktemp('export') / 'unet.onnx'
    done = main(['export', str(trained.checkpoint), '--with-preprocess', '--argmax', '--dynamic',
                 '--shape', '64', '128', '--out', str(path)])
    assert done == 0
    return path


@NEW
def test_an_image_is_labelled_without_segplug_and_torch(onnx_file, trained, minicity, repo_root,
                                                        tmp_path):
    image = sorted(minicity.rglob('val/*/*_leftImg8bit.png'))[0]
    script = repo_root / 'examples' / 'onnx' / 'run_onnx.py'
    code = ('import runpy, sys; sys.modules["torch"] = sys.modules["segplug"] = None; '
            f'sys.argv = ["x", {str(onnx_file)!r}, {str(image)!r}, "labels.png"]; '
            f'runpy.run_path({str(script)!r}, run_name="__main__")')
    subprocess.run([sys.executable, '-c', code], cwd=tmp_path, check=True, timeout=60)
    expected = load_model(trained.checkpoint).predict(image)
    found = np.asarray(Image.open(tmp_path / 'labels.png'))
    assert (found == expected.colours()).all(2).mean() > 0.999
    assert len(np.unique(expected.labels)) > 1


@NEW
def test_the_example_prepares_images_itself_where_the_file_does_not(repo_root):
    """As the preprocessor of the model does, whatever channels and layout the file takes."""
    pytest.importorskip('onnxruntime')
    example = runpy.run_path(str(repo_root / 'examples' / 'onnx' / 'run_onnx.py'))
    image = Image.fromarray(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3))
    takes = dict(width=None, height=None, multiple_of=4, layout='NCHW', dtype='float32',
                 channel_order='bgr')
    prepare = dict(inside=False, mean=[3., 2., 1.], std=[2., 2., 2.])
    found = example['pixels_for'](dict(input=takes, preprocess=prepare), image)
    assert found.shape == (1, 3, 4, 8)  # 6 columns go up to 8
    # The pixel at the upper left is (0, 1, 2): as BGR (2, 1, 0), less (3, 2, 1), by 2.
    assert found[0, :, 0, 0].tolist() == [-0.5, -0.5, -0.5]
    one = dict(output=dict(name='logits'), labels=dict(one_logit=True, threshold=-1.))
    assert example['labels_of'](one, np.array([[[[-2., 0.]]]])).tolist() == [[0, 1]]


def test_a_model_of_one_logit_and_five_bands(tmp_path):
    """And what the result says of it."""
    five = net(dict(num_classes=2, out_channels=1), channels=5)
    settings = Settings(**SCRIPT, with_preprocess=True, argmax=True, layout='NCHW')
    result = write(model_of(five), settings, tmp_path / 'x.torchscript',
                   dict(config=None, checkpoint='x.pth'))
    extra = {'segplug.json': ''}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # it is called deprecated
        script = torch.jit.load(result.path, _extra_files=extra)
    assert json.loads(extra['segplug.json']) == result.metadata
    assert result.metadata['labels']['one_logit']
    assert script(torch.zeros(1, 5, 32, 48, dtype=torch.uint8)).shape == (1, 32, 48)
    text = str(result)
    assert 'takes uint8 1 x 5 x 32 x 48; gives labels at the size of the image' in text
    assert '1 x 32x48' in text
    assert '0.0000 %' in text


@NEW
def test_pooling_over_cells_is_never_dynamic_in_onnx(tmp_path):
    pytest.importorskip('onnxruntime')
    settings = Settings(shape=(40, 56), dynamic=True)
    with pytest.raises(ConfigError, match='any size: it pools over a grid of cells'):
        write(model_of(psp_net()), settings, tmp_path / 'x.onnx', {})
    assert list(tmp_path.iterdir()) == []


class AsksForOne(torch.nn.Conv2d):
    """A convolution that does for one image, in another way, what it does for several."""

    def forward(self, x):
        return super().forward(x[:1]) if x.shape[0] == 1 else super().forward(x)


@NEW
def test_one_image_is_tried_where_a_file_has_no_guards(tmp_path):
    asks = net()
    asks.decode_head.conv_seg = AsksForOne(4, 4, 1)
    settings = dict(shape=(40, 56), dynamic=True, batch=True)
    result = write(model_of(asks), Settings(**settings, format='torchscript'),
                   tmp_path / 'x.torchscript', dict(config=None, checkpoint='x.pth'))
    assert [one.batch for one in result.checks] == [1, 3, 1]
    with pytest.raises(ConfigError, match='for 1 image.*leave --dynamic-batch away') as caught:
        write(model_of(asks), Settings(**settings, format='torch-export'), tmp_path / 'x.pt2',
              dict(config=None, checkpoint='x.pth'))
    assert caught.value.culprit == 'batch'


def test_a_shape_that_the_model_does_not_take(tmp_path):
    def refuse(module, inputs):
        raise RuntimeError(f'not of {inputs[0].shape[3]} columns')

    picky = net()
    picky.backbone.register_forward_pre_hook(refuse)
    with pytest.raises(ConfigError, match='The model itself fails for an image of 32x48. Got: not '
                                          'of 48 columns.*give another --shape'):
        write(model_of(picky), Settings(**SCRIPT), tmp_path / 'x.torchscript', {})


def test_a_file_that_differs_is_not_kept(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(check, 'TOLERANCE', -1)
    (tmp_path / 'x.torchscript').write_text('mine')
    with pytest.raises(ConfigError, match='does not give what the model gives, and is not kept'):
        exported(trained.checkpoint, out=tmp_path / 'x.torchscript', overwrite=True, **SCRIPT)
    assert [path.read_text() for path in tmp_path.iterdir()] == ['mine']


def test_where_the_file_goes(tmp_path):
    checkpoint = tmp_path / 'iter_10.pth'
    checkpoint.touch()
    assert target_for(None, str(checkpoint), 'onnx', False) == tmp_path / 'iter_10.onnx'
    assert target_for(None, 'https://x/iter_10.pth', 'torch-export', False).name == 'iter_10.pt2'
    assert target_for(tmp_path, 'a/b.pth', 'torchscript', False) == tmp_path / 'b.torchscript'
    assert target_for(f'{tmp_path}/new/', 'a/b.pth', 'onnx', False) == tmp_path / 'new' / 'b.onnx'
    with pytest.raises(ConfigError, match='cannot be written. Got: .*iter_10.pth, which is a file'):
        target_for(checkpoint / 'x.onnx', 'x.pth', 'onnx', False)
    with pytest.raises(ConfigError, match='is there already.*--overwrite'):
        target_for(checkpoint, 'x.pth', 'torchscript', False)
    assert target_for(checkpoint, 'x.pth', 'torchscript', True) == checkpoint
    with pytest.raises(ConfigError, match='called as torch-export is.*add --format torch-export'):
        target_for('x.pt2', 'x.pth', 'onnx', False)


def test_a_crop_size_of_one_number_is_a_square(trained, tmp_path):
    made = exported(trained.checkpoint, format='torchscript', out=tmp_path / 'a.ts',
                    options=dict(crop_size=32))
    assert (made.metadata['input']['height'], made.metadata['input']['width']) == (32, 32)


def test_windows_are_told(trained, tiny, tmp_path):
    windows = {f'model.test_cfg.{key}': value for key, value in dict(
        mode='slide', crop_size=(32, 32), stride=(20, 20)).items()}
    result = exported(CONFIG, trained.checkpoint, out=tmp_path / 'x.torchscript', batch=True,
                      options={**tiny, **windows}, **SCRIPT)
    assert result.notes == ('The config tests in windows of 32x32; the file sees images whole.',)
    assert [one.batch for one in result.checks] == [1, 3, 1]
