import pytest
import torch
from encoders import assert_dilation_keeps_the_pixels, assert_names_and_shapes, assert_numbers

from segplug.errors import ConfigError
from segplug.models.backbones import InceptionResNetV2

SMALL = dict(num_blocks=(1, 1, 1), out_stem=True)


def test_names_and_shapes_are_timms():
    with torch.device('meta'):
        assert_names_and_shapes(InceptionResNetV2(), 'inception_resnet_v2')


def test_numbers_are_timms_when_padded():
    assert_numbers(InceptionResNetV2(out_stem=True), 'inception_resnet_v2')


@pytest.mark.parametrize(('output_stride', 'size'), [(8, (45, 70)), (16, (64, 96))])
def test_dilated_equals_plain_at_its_pixels(output_stride, size):
    assert_dilation_keeps_the_pixels(
        InceptionResNetV2(**SMALL), InceptionResNetV2(**SMALL, output_stride=output_stride), size)


def test_long_kernels_keep_their_padding_when_dilated():
    """1x7 and 7x1 reach 3 pixels each way, 6 when dilated twice."""
    with torch.device('meta'):
        net = InceptionResNetV2(**SMALL, output_stride=8)
    wide, high = (net.repeat_1[0].branch1[i].conv for i in (1, 2))
    assert (wide.kernel_size, wide.padding, wide.dilation) == ((1, 7), (0, 6), (2, 2))
    assert (high.kernel_size, high.padding) == ((7, 1), (6, 0))


def test_number_of_stages():
    with pytest.raises(ConfigError) as error:
        InceptionResNetV2(num_blocks=(1, 1))
    assert error.value.culprit == 'num_blocks'
