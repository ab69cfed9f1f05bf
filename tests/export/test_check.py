"""How far a file is from its model: differences by hand, and what is refused."""

import numpy as np
import pytest
import torch
from tiny_nets import net

from segplug.errors import CheckpointError, ConfigError
from segplug.export.check import Check, cases, check, compared, images, refuse
from segplug.export.graph import Graph
from segplug.export.settings import Settings

SETTINGS = Settings(shape=(24, 40), batch=True, dynamic=True, upsample=True)


def test_sizes_and_batches():
    assert cases(Settings(shape=(24, 40))) == [
        (1, (24, 40), 'scene'), (1, (24, 40), 'noise'), (1, (24, 40), 'scene')]
    # 0.62 * 240 = 148.8 -> 149 (odd), 0.55 * 400 = 220 -> 221; 1.3 * 240 + 2, 0.45 * 400 + 3
    any_size = Settings(shape=(240, 400), batch=True, dynamic=True)
    assert cases(any_size) == [
        (1, (240, 400), 'scene'), (3, (149, 221), 'noise'), (1, (314, 183), 'scene')]
    assert [size for _, size, _ in cases(any_size, 32)][1:] == [(128, 192), (288, 160)]


def test_images_are_the_same_each_time_and_of_any_number_of_bands():
    for kind in ('noise', 'scene'):
        first = images(1, 2, 7, (20, 30), kind)
        assert (first.shape, first.dtype) == ((2, 7, 20, 30), np.uint8)
        assert np.array_equal(first, images(1, 2, 7, (20, 30), kind))
        assert first.std() > 20


def test_differences_of_logits():
    logits = torch.tensor([[1., 2.], [3., -4.]]).view(1, 2, 1, 2)
    found = np.array([[1.5, 2.], [1.25, -4.]], np.float32).reshape(1, 2, 1, 2)
    # |1.25 - 3| = 1.75 is the largest; the first pixel goes from class 1 to class 0.
    assert compared(found, logits, Settings(upsample=True), 0.) == Check(
        1, 1, 2, 1.75, 4., 0.5)
    wrong = compared(found[:, :1], logits, Settings(upsample=True), 0.)
    assert (wrong.difference, wrong.differing) == (np.inf, 1.)


def test_differences_of_labels():
    logits = torch.tensor([[1., 2.], [3., -4.]]).view(1, 2, 1, 2)
    settings = Settings(argmax=True)
    # The model says 1, 0. Where the file says 0, 0, it loses 3 - 1 = 2 at the first pixel.
    found = compared(np.uint8([[[0, 0]]]), logits, settings, 0.)
    assert (found.difference, found.differing) == (2., 0.5)
    assert compared(np.uint8([[[1, 0]]]), logits, settings, 0.).difference == 0
    assert compared(np.uint8([[[1, 7]]]), logits, settings, 0.).difference == np.inf
    # One logit, and a threshold of -1: 2 is class 1, -4 is class 0, and 3 away from it.
    one = torch.tensor([2., -4.]).view(1, 1, 1, 2)
    assert compared(np.uint8([[[1, 1]]]), one, settings, -1.) == Check(1, 1, 2, 3., 4., 0.5)


def test_what_is_beyond_the_tolerance_is_refused():
    refuse(Check(1, 2, 3, 0.009, 10., 0.), SETTINGS)
    with pytest.raises(ConfigError, match='differ by 0.011 of 10, and 25.00 % of the labels, for '
                                          r'1 image\(s\) of 2x3.*leave --dynamic or --dynamic-b'):
        refuse(Check(1, 2, 3, 0.011, 10., 0.25), SETTINGS)


def test_a_file_is_run_beside_the_model():
    model = net()
    graph = Graph(model, SETTINGS, 2)

    def run(image):
        with torch.no_grad():
            return graph(torch.from_numpy(image)).numpy()

    found = check(model, run, SETTINGS)
    assert [(one.batch, one.height, one.width) for one in found] == [
        (batch, *size) for batch, size, _ in cases(SETTINGS)]
    assert max(one.difference / one.largest for one in found) < 1e-5

    with pytest.raises(ConfigError, match='does not give what the model gives'):
        check(model, lambda image: run(image[..., ::-1].copy())[..., ::-1].copy(), SETTINGS)

    def fails(image):
        raise RuntimeError('first\nindices out of bounds')
    with pytest.raises(ConfigError, match='fails for an input of 1x3x24x40.*indices out of'):
        check(model, fails, SETTINGS)


def test_a_model_that_gives_no_numbers():
    model = net()
    torch.nn.init.constant_(model.decode_head.conv_seg.weight, float('nan'))
    for settings in (SETTINGS, Settings(shape=(24, 40))):
        with pytest.raises(CheckpointError, match='nan or infinite'):
            check(model, lambda image: image, settings)
