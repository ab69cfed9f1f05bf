"""What a network sees of an image: its padding is no part of the image's maps."""

import numpy as np
import pytest
import torch

from segplug.apis.model import Model, load_model
from segplug.apis.network_input import NetworkInput, layer_list, loaded, network_input
from segplug.errors import ConfigError


def test_a_map_at_the_size_of_the_image():
    """Of 4 x 6 cells the image covers 4 x 4, and it is twice as large: each is 2 x 2 pixels."""
    image = NetworkInput('a', torch.zeros(1, 3, 4, 6), (4, 4), np.zeros((8, 8, 3), np.uint8),
                         lambda: None)
    cells = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert image.size == (4, 6)
    np.testing.assert_array_equal(image.at_image_size(cells),
                                  cells[:, :4].repeat(2, axis=0).repeat(2, axis=1))
    halves = np.float32([[0, 3]])  # two cells over six columns
    assert image.at_image_size(halves)[0].tolist() == [0] * 6 + [3] * 2
    smooth = image.at_image_size(cells, smooth=True)
    assert (smooth.shape, smooth[0, 0], smooth[-1, -1]) == ((8, 8), 0, 21)


def test_an_image_as_the_preprocessor_pads_it(trained):
    """What is added is at the right and below, and zero once the image is normalised."""
    model = load_model(trained.checkpoint, options={
        'model.data_preprocessor.test_cfg': dict(size_divisor=16)})
    pixels = np.random.default_rng(0).integers(1, 256, (60, 100, 3), dtype=np.uint8)
    seen = network_input(model, pixels)
    assert (seen.valid, seen.size, seen.inputs.shape[:2]) == ((60, 100), (64, 112), (1, 3))
    assert seen.inputs[..., :60, :100].all()
    assert not seen.inputs[..., 60:, :].any()
    assert not seen.inputs[..., 100:].any()
    assert np.array_equal(seen.picture, pixels[..., ::-1])
    assert seen.run().shape[:2] == (1, 19)
    names = [line.split()[0] for line in layer_list(model, seen).splitlines()]
    assert {'backbone', 'decode_head'} <= set(names)


def test_a_model_is_taken_as_it_is(model):
    assert loaded(model, None, None, None, None, None) is model
    with pytest.raises(ConfigError, match='Module has no encode_decode'):
        network_input(Model(torch.nn.Module(), model.cfg, model.classes), np.zeros((4, 4, 3)))
