"""The cost table: what is counted, by hand, and what a row says."""

import pytest
import torch
from mmengine.config import Config
from torch import nn

from segplug.apis import zoo as module
from segplug.apis.zoo import count, describe, image_size, zoo
from segplug.errors import ConfigError


class Tiny(nn.Module):
    """A 3x3 convolution of stride 2, then attention between its pixels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(5, 4, 3, stride=2, padding=1)
        self.auxiliary_head = nn.Conv2d(4, 7, 1)

    def encode_decode(self, inputs, batch_img_metas):
        assert batch_img_metas[0]['pad_shape'] == tuple(inputs.shape[2:])
        x = self.conv(inputs).flatten(2)
        return x @ (x.transpose(1, 2) @ x)


def test_sizes_of_images():
    """What is asked for goes before the config's; one number is a square."""
    assert image_size(Config(dict(crop_size=64))) == (64, 64)
    assert image_size(Config(dict(crop_size=(64, 96)))) == (64, 96)
    assert image_size(Config(dict(crop_size=64)), [8, 4]) == (8, 4)
    assert image_size(Config({})) == (512, 1024)


def test_parameters_and_multiply_adds_by_hand():
    """Image 8 x 16 with 5 channels -> 4 x 8 = 32 places. Convolution 4 * 5 * 9 = 180 weights, used
    at each place: 5760. Each matrix product 4 * 4 * 32 = 512 or 4 * 32 * 32 = 4096: x^T x is
    32 x 4 by 4 x 32 = 4096, x (x^T x) is 4 x 32 by 32 x 32 = 4096. Parameters 180 + 4 biases;
    the auxiliary head 4 * 7 + 7 = 35 is apart and is not run."""
    with torch.device('meta'):
        model = Tiny()
    assert count(model, (8, 16)) == dict(
        parameters=184, auxiliary_parameters=35, multiply_adds=5760 + 4096 + 4096)


def test_a_row_of_a_shipped_config():
    """FCN over ResNet-50 of stride 8; its backbone alone holds 23.5 M parameters."""
    row, = zoo(['fcn/fcn_r50-d8_4xb2-80k_cityscapes'])
    assert row['config'] == 'fcn/fcn_r50-d8_4xb2-80k_cityscapes-512x1024.py'
    assert (row['method'], row['backbone'], row['head']) == ('fcn', 'ResNetV1c-50', 'FCNHead')
    assert row['size'] == [512, 1024]
    # Head: 3x3 2048->512, 3x3 512->512, 3x3 2560->512, their norms, 1x1 512->19 with bias.
    head = 9 * 512 * (2048 + 512 + 2560) + 3 * 2 * 512 + 513 * 19
    # Auxiliary: 3x3 1024->256 with its norm, 1x1 256->19 with bias.
    assert row['auxiliary_parameters'] == 9 * 1024 * 256 + 2 * 256 + 257 * 19
    # torchvision's ResNet-50 has 25 557 032 parameters, 2049 * 1000 of them in its classifier;
    # the deep stem has 3x3 3->32, 32->32, 32->64 in place of 7x7 3->64, and two norms of 32 more.
    stem = 9 * (3 * 32 + 32 * 32 + 32 * 64) + 4 * 32 - 49 * 3 * 64
    assert row['parameters'] == 25_557_032 - 2_049_000 + stem + head


def test_a_quarter_of_the_image_is_a_quarter_of_the_work():
    whole, = zoo(['fcn_r50-d8', '80k_cityscapes-512x1024'])
    part, = zoo(['fcn_r50-d8', '80k_cityscapes-512x1024'], size=(256, 512))
    assert part['size'] == [256, 512]
    assert part['multiply_adds'] * 4 == whole['multiply_adds']


def test_equal_models_are_counted_once(monkeypatch):
    """The two configs differ in their number of classes; each listed twice is still one model."""
    built, matching = [], module.matching
    monkeypatch.setattr(module, 'count', lambda model, size: built.append(size) or {})
    monkeypatch.setattr(module, 'matching', lambda words: 2 * matching(words))
    assert len(zoo(['unet_r18'], size=(32, 32))) == 4
    assert len(built) == 2


@pytest.mark.parametrize(('backbone', 'name'), [
    (dict(type='ResNet', depth=18), 'ResNet-18'),
    (dict(type='ICNet', backbone_cfg=dict(type='ResNetV1c', depth=50)), 'ICNet of ResNetV1c-50'),
    (dict(type='HRNet', extra=dict(stage4=dict(num_channels=(18, 36, 72, 144)))), 'HRNet-W18'),
    (dict(type='MobileNetV3', arch='small'), 'MobileNetV3 small'),
    (dict(type='CGNet'), 'CGNet'),
])
def test_backbones_in_words(backbone, name):
    assert describe(backbone) == name


def test_a_misspelt_name_is_told():
    with pytest.raises(ConfigError, match="'unt'.*did you mean 'unet'"):
        zoo(['unt'])
