"""One augmentation's input, against torch's own resize; compiled and in plain torch."""

import importlib.util

import pytest
import torch
import torch.nn.functional as F

from segplug.ops.views import Normalisation, view

MEAN, STD = torch.tensor([10., 20., 30.]), torch.tensor([2., 4., 8.])


@pytest.fixture(params=['compiled', 'plain'], autouse=True)
def kernels(request, monkeypatch):
    """Every test runs with the compiled kernels and without them."""
    if request.param == 'compiled' and importlib.util.find_spec('numba') is None:
        pytest.skip('numba, which compiles the kernels, is not installed')
    monkeypatch.setenv('SEGPLUG_KERNELS', 'on' if request.param == 'compiled' else 'off')


def image(height=13, width=17, channels=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (channels, height, width), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize('size', [(13, 17), (7, 9), (26, 34), (20, 11), (1, 1)])
@pytest.mark.parametrize('flip', [False, True])
def test_resized_normalised_mirrored_padded(size, flip):
    img, target = image(), (size[0] + 3, size[1] + 5)
    found = view(img, size, target, flip, Normalisation(MEAN, STD, reverse=True, pad_val=7.))
    resized = F.interpolate(img[None].float(), size, mode='bilinear')[0].flip(0)
    expected = (resized - MEAN.view(3, 1, 1)) / STD.view(3, 1, 1)
    assert found.shape == (1 + flip, 3, *target)
    for n, one in enumerate([expected, expected.flip(-1)][:1 + flip]):
        torch.testing.assert_close(found[n, :, :size[0], :size[1]], one, rtol=0, atol=2e-4)
    assert (found[:, :, size[0]:] == 7).all()
    assert (found[..., size[1]:] == 7).all()


def test_at_its_own_size_nothing_is_rounded():
    img = image()
    found = view(img, (13, 17), (13, 17), False, Normalisation(MEAN, STD))
    assert torch.equal(found[0], (img.float() - MEAN.view(3, 1, 1)) / STD.view(3, 1, 1))


def test_without_normalisation_any_number_of_channels():
    for channels in (1, 2, 5):
        img = image(channels=channels)
        assert torch.equal(view(img, (13, 17), (13, 17), False, Normalisation())[0], img.float())


def test_one_mean_for_all_channels():
    found = view(image(), (13, 17), (13, 17), False, Normalisation(MEAN[:1], STD[:1]))
    assert torch.equal(found[0], (image().float() - 10) / 2)


def test_by_hand():
    # Four pixels to two: each the mean of its pair. 0 4 8 255 -> 2 131.5
    img = torch.tensor([[[0, 4, 8, 255]]], dtype=torch.uint8)
    assert view(img, (1, 2), (1, 2), True, Normalisation()).flatten().tolist() == \
        [2, 131.5, 131.5, 2]


def test_images_that_are_float_already_and_images_that_are_no_block():
    wide = image(13, 34)
    normal = Normalisation(MEAN, STD)
    plain = view(wide[..., ::2].contiguous(), (20, 20), (20, 20), True, normal)
    assert torch.equal(view(wide[..., ::2], (20, 20), (20, 20), True, normal), plain)
    torch.testing.assert_close(view(wide[..., ::2].float(), (20, 20), (20, 20), True, normal),
                               plain, rtol=0, atol=2e-4)
