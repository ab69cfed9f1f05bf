"""`complexity` of configs: a published count, a network that cannot be told shapes alone."""

import json

import pandas as pd
import pytest
import torch
from torch import nn

from segplug.apis import complexity
from segplug.apis.zoo import zoo
from segplug.cli.main import main
from segplug.errors import ConfigError
from segplug.registry import MODELS

CONFIG = 'unet/unet_r18_minicity.py'


def test_danet_is_what_its_users_counted():
    """mmsegmentation's get_flops.py counts, for its danet_r50-d8 with 21 classes and 512 x 512
    pixels, 47 484 961 parameters and 211 043 745 792 multiply-adds, norms and pooling among them;
    those are a thousandth."""
    found = complexity('danet/danet_r50-d8_4xb2-80k_cityscapes-512x1024.py', shape=(512, 512),
                       options={'model.decode_head.num_classes': 21,
                                'model.auxiliary_head.num_classes': 21})
    assert found.parameters == 47_484_961
    assert found.multiply_adds == pytest.approx(211_043_745_792, rel=1e-3)
    assert found.multiply_adds < 211_043_745_792
    row, = zoo(['danet_r50-d8', 'cityscapes-512x1024', '80k'], size=(64, 64))
    assert row['auxiliary_parameters'] == found.auxiliary_parameters - 2 * 257


def test_the_parts_make_the_whole(tiny):
    found = complexity(CONFIG, shape=(64, 96), batch=3, options=tiny)
    table = found.table().set_index('name')
    for column in ('parameters', 'multiply_adds', 'kept_bytes'):
        assert table[column][['backbone', 'decode_head']].sum() == table[column]['']
    assert (found.size, found.batch) == ((64, 96), 3)
    # The stem: 8 channels of 7 x 7 x 3 weights, at 32 x 48 places
    assert table.multiply_adds['backbone.conv1'] == 8 * 7 * 7 * 3 * 32 * 48
    again = complexity(CONFIG, shape=(64, 96), options=tiny)
    assert again.batch == tiny['train_dataloader.batch_size']
    assert again.multiply_adds == found.multiply_adds
    # All but the statistics of the norms grow with the batch.
    assert again.kept_bytes == pytest.approx(found.kept_bytes * 2 / 3, rel=0.01)
    assert found.text(0).count('\n') < found.text(1).count('\n') < str(found).count('\n')
    assert 'of 64x96' in str(found)
    assert '<pre ' in found._repr_html_()


class _Looking(nn.Module):
    """A segmentor that looks at values, which have none on the meta device."""

    def __init__(self, rate):
        super().__init__()
        self.rates = [rate.item() for rate in torch.linspace(0, rate, 3)]
        self.conv = nn.Conv2d(4, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)

    def encode_decode(self, inputs, batch_img_metas):
        x = self.norm(self.conv(inputs))
        return self.norm(x.mean((2, 3), keepdim=True)) * x if x.sum().item() > -1e9 else x


@pytest.fixture
def looking(write):
    MODELS.register_module(name='LookingForCounting', module=_Looking)
    yield write('c.py', "model = dict(type='LookingForCounting', rate=0.5)")
    MODELS.module_dict.pop('LookingForCounting')


def test_a_network_that_looks_at_values_is_computed(looking):
    found = complexity(looking, shape=(8, 8))
    assert found.multiply_adds == 8 * 8 * 3 * 4 * 9
    assert found.kept_bytes > 0
    alone = complexity(looking, shape=(8, 8), batch=1)  # the second norm sees one value of each
    assert alone.kept_bytes is None
    assert 'training was not measured: Expected more than 1 value per channel' in str(alone)


@pytest.mark.parametrize(('text', 'given', 'said'), [
    ("work_dir = 'x'", {}, 'has no model'), ('model = [1]', {}, 'has no model'),
    (f"_base_ = 'segplug::{CONFIG}'", dict(shape=(0, 8)), '0x8 pixels has none'),
    (f"_base_ = 'segplug::{CONFIG}'", dict(batch=-1), 'one image or more'),
    (f"_base_ = 'segplug::{CONFIG}'", dict(batch=0), 'one image or more'),
    (f"_base_ = 'segplug::{CONFIG}'\ncrop_size = '8x8'", {}, "no size of an image. Got: '8x8'"),
    (f"_base_ = 'segplug::{CONFIG}'\ncrop_size = (8, 8, 3)", {}, 'no size of an image'),
    ("_base_ = 'segplug::pspnet/pspnet_r50-d8_4xb2-80k_cityscapes-512x1024.py'\n"
     "model = dict(decode_head=dict(in_channels=7))", dict(shape=(32, 32)), 'cannot take')])
def test_mistakes(write, text, given, said):
    with pytest.raises(ConfigError, match=said):
        complexity(write('c.py', text), **given)


def test_the_command(options, tmp_path, capsys):
    assert main(['complexity', CONFIG, '--shape', '64', '64', '--depth', '1', '--csv',
                 str(tmp_path / 'x.csv'), '--json', str(tmp_path / 'x.json'), *options]) == 0
    out = capsys.readouterr().out
    assert f'Written to {tmp_path}/x.csv' in out
    assert '|   backbone ' in out
    assert 'conv1' not in out
    written = pd.read_csv(tmp_path / 'x.csv', keep_default_na=False).set_index('name')
    data = json.loads((tmp_path / 'x.json').read_text())
    assert written.multiply_adds[''] == data['multiply_adds']
    assert f'{data["multiply_adds"] / 1e9:.2f} G multiply-adds' in out
    assert written.type['backbone.layer4.1.conv2'] == 'Conv2d'
