"""The graph computes what the model predicts, before anything is written."""

import numpy as np
import pytest
import torch
from tiny_nets import net

from segplug.errors import ConfigError
from segplug.export.check import Model, images
from segplug.export.graph import Graph, labels, num_channels, threshold_of, without_training_parts
from segplug.export.settings import Settings

SHAPE = (37, 50)
PREPROCESS = dict(type='SegDataPreProcessor', mean=[100.] * 3, std=[50.] * 3, bgr_to_rgb=True,
                  pad_val=0.5)


def outputs(model, settings, batch=2, channels=3):
    """What the graph gives, and what the model says, for a batch of scenes."""
    pixels = images(0, batch, channels, settings.shape, 'scene')
    example = Model(model, settings)
    with torch.no_grad():
        found = Graph(model, settings, batch)(torch.from_numpy(example.input_of(pixels)))
    return found, example.logits(pixels)


@pytest.mark.parametrize('given', [
    dict(), dict(upsample=True), dict(with_preprocess=True),
    dict(with_preprocess=True, upsample=True, layout='NCHW'),
    dict(with_preprocess=True, upsample=True, channel_order='bgr')])
def test_logits(given):
    found, expected = outputs(net(), Settings(shape=SHAPE, **given))
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize('test_cfg', [dict(size_divisor=32), dict(size=(64, 48))])
def test_padding_is_that_of_the_preprocessor(test_cfg):
    model = net(data_preprocessor=dict(PREPROCESS, test_cfg=test_cfg))
    for given in (dict(upsample=True), dict()):
        found, expected = outputs(model, Settings(shape=SHAPE, with_preprocess=True, **given))
        assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    # 37 x 50 goes to 64 x 64, or to 64 x 50; the head's own maps have stride 4.
    assert found.shape[2:] == ((16, 16) if 'size_divisor' in test_cfg else (16, 13))


def test_labels_of_many_bands_and_of_one_logit():
    model = net(dict(num_classes=2, out_channels=1, threshold=0.4), channels=5)
    settings = Settings(shape=SHAPE, with_preprocess=True, argmax=True)
    found, logits = outputs(model, settings, channels=5)
    assert (found.dtype, found.shape) == (torch.uint8, (2, *SHAPE))
    # sigmoid(z) > 0.4 is z > log(0.4 / 0.6) = -0.4055
    assert torch.equal(found, (logits[:, 0] > np.log(0.4 / 0.6)).byte())
    assert 0 < found.float().mean() < 1
    assert (num_channels(model), round(threshold_of(model), 4)) == (5, -0.4055)


def test_labels_are_wide_enough():
    assert labels(torch.zeros(1, 256, 1, 1), 0.).dtype == torch.uint8
    scores = torch.zeros(1, 257, 1, 1)
    scores[0, 256] = 1
    assert labels(scores, 0.).dtype == torch.int32
    assert labels(scores, 0.).item() == 256


def test_what_cannot_be_put_into_a_graph():
    with pytest.raises(ConfigError, match='Linear cannot be exported.*EncoderDecoder'):
        Graph(torch.nn.Linear(1, 1), Settings(), 1)
    padded = net(data_preprocessor=dict(PREPROCESS, test_cfg=dict(size=(64, 64))))
    with pytest.raises(ConfigError, match='pads images to one size'):
        Graph(padded, Settings(dynamic=True, with_preprocess=True), 1)
    other = net(data_preprocessor=dict(type='mmengine.BaseDataPreprocessor'))
    with pytest.raises(ConfigError, match='BaseDataPreprocessor prepares images in a way'):
        Graph(other, Settings(with_preprocess=True), 1)


def test_only_our_segmentors_lose_their_auxiliary_heads():
    class Own(torch.nn.Module):
        auxiliary_head = 1

    aux = dict(type='FCNHead', in_channels=4, channels=4, num_convs=1, num_classes=4, in_index=0)
    assert not without_training_parts(net(auxiliary_head=aux)).with_auxiliary_head
    assert without_training_parts(Own()).auxiliary_head == 1
