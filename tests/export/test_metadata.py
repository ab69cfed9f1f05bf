"""What a file says of itself, for each kind of model and input."""

import json

import pytest
from tiny_nets import net

from segplug.export.metadata import describe
from segplug.export.settings import Settings

SOURCE = dict(config='x.py', checkpoint='x.pth')


def said(model, settings, **changes):
    given = dict(classes=['a', 'b', 'c', 'd'], palette=[(1, 2, 3)] * 4, dataset={}, resize=None,
                 multiple=1, source=SOURCE)
    found = describe(model, settings, **{**given, **changes})
    assert json.loads(json.dumps(found)) == found
    return found


def test_of_a_file_that_takes_pixels():
    found = said(net(), Settings(shape=(40, 56), with_preprocess=True, argmax=True,
                                 channel_order='bgr'), dataset=dict(reduce_zero_label=True))
    assert found['input'] == dict(name='image', dtype='uint8', layout='NHWC', channels=3,
                                  channel_order='bgr', batch=1, height=40, width=56, multiple_of=1)
    assert found['output'] == dict(name='labels', layout='NHW', size='image', align_corners=False)
    assert found['labels'] == dict(num_classes=4, one_logit=False, threshold=None,
                                   reduce_zero_label=True)
    assert found['palette'] == [[1, 2, 3]] * 4
    assert (found['config'], found['checkpoint'], found['mode']) == ('x.py', 'x.pth', 'whole')


def test_of_a_file_that_takes_what_the_network_takes():
    padded = dict(type='SegDataPreProcessor', mean=[1., 2., 3.], std=[4., 5., 6.], bgr_to_rgb=True,
                  test_cfg=dict(size_divisor=32))
    found = said(net(data_preprocessor=padded), Settings(dynamic=True, batch=True), multiple=32,
                 resize=dict(type='Resize', scale=[8, 4]))
    assert found['input'] == dict(name='image', dtype='float32', layout='NCHW', channels=3,
                                  channel_order='rgb', batch=None, height=None, width=None,
                                  multiple_of=32)
    assert found['preprocess'] == dict(
        inside=False, mean=[1, 2, 3], std=[4, 5, 6], channel_order='rgb', pad_to_multiple=32,
        resize=dict(type='Resize', scale=[8, 4]), pad_to_at_least=None, pad_value=0)
    assert found['output']['size'] == 'head'


def test_of_a_binary_model_of_many_bands():
    found = said(net(dict(num_classes=2, out_channels=1), channels=5), Settings(),
                 classes=['no', 'yes'])
    # The head's default: sigmoid(z) > 0.3 is z > log(3 / 7) = -0.8473
    assert found['labels']['one_logit']
    assert found['labels']['threshold'] == pytest.approx(-0.8473, abs=1e-4)
    assert (found['input']['channels'], found['input']['channel_order']) == (5, None)
