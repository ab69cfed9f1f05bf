"""What an export may be asked for, and what it means for the sizes of the file."""

import pytest

from segplug.errors import ConfigError
from segplug.export.settings import Settings


@pytest.mark.parametrize(('given', 'said'), [
    (dict(format='onx'), "no such format.*'onx'.*did you mean 'onnx'"),
    (dict(layout='HWC'), "no such layout.*'NHWC', 'NCHW'"),
    (dict(channel_order='grb'), 'no such channel_order'),
    (dict(shape=(0, 5)), r'no size of an image.*\(0, 5\)'),
    (dict(shape=(64,)), 'no size of an image'),
    (dict(format='torchscript', opset=18), 'Only ONNX has an opset')])
def test_what_is_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        Settings(**given)


def test_dimensions_that_may_change():
    assert Settings().any_dims == {}
    assert Settings(batch=True).any_dims == {0: 'batch'}
    # Without preprocessing the file takes (N, C, H, W), whatever layout says.
    assert Settings(dynamic=True).any_dims == {2: 'height', 3: 'width'}
    assert Settings(dynamic=True, batch=True, with_preprocess=True).any_dims == {
        0: 'batch', 1: 'height', 2: 'width'}
    assert Settings(dynamic=True, with_preprocess=True, layout='NCHW').any_dims == {
        2: 'height', 3: 'width'}


def test_labels_have_the_size_of_the_image():
    assert (Settings().output, Settings().at_image_size) == ('logits', False)
    assert (Settings(upsample=True).output, Settings(upsample=True).at_image_size) == (
        'logits', True)
    assert (Settings(argmax=True).output, Settings(argmax=True).at_image_size) == ('labels', True)


def test_how_to_ask_for_less():
    assert Settings().away == ''
    assert Settings(batch=True).away == 'leave --dynamic-batch away'
    assert Settings(dynamic=True, batch=True).away == 'leave --dynamic or --dynamic-batch away'
