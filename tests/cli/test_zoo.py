"""``segplug zoo``: its three forms."""

import json

import pytest

from segplug.cli.main import main
from segplug.cli.zoo import markdown

ROW = dict(config='a/b.py', method='a', backbone='ResNet-18', head='FCNHead', size=[64, 96],
           parameters=12_345_678, auxiliary_parameters=1, multiply_adds=2_460_000_000)


def test_markdown_in_millions_and_billions():
    assert markdown([ROW]).splitlines()[2] == (
        '| a/b.py | ResNet-18 | FCNHead | 64x96 | 12.35 | 2.5 |')


def test_text_and_json_tell_the_same(capsys):
    assert main(['zoo', 'unet_r18', 'minicity', '--shape', '64', '64']) == 0
    out = capsys.readouterr().out
    assert '1 config.' in out
    assert 'unet/unet_r18_minicity.py' in out
    assert main(['zoo', 'unet_r18', 'minicity', '--shape', '64', '64', '--json', '-']) == 0
    row, = json.loads(capsys.readouterr().out)
    assert f' {row["parameters"] / 1e6:.2f} ' in out
    assert f' {row["multiply_adds"] / 1e9:.1f} ' in out


def test_an_unknown_name_is_refused(capsys):
    assert main(['zoo', 'no-such-method']) == 1
    assert 'no-such-method' in capsys.readouterr().err


@pytest.mark.parametrize('size', [('0', '64'), ('64', '-1'), ('65', '64')])
def test_a_size_that_the_network_cannot_take_is_refused(size, capsys, monkeypatch):
    """65 rows: as a network says that has no whole number of them."""
    def encode_decode(self, inputs, metas):
        raise RuntimeError('65 is odd')

    from segplug.models.segmentors import EncoderDecoder
    monkeypatch.setattr(EncoderDecoder, 'encode_decode', encode_decode)
    assert main(['zoo', 'unet_r18_minicity', '--shape', *size]) == 1
    err = capsys.readouterr().err
    assert f'{size[0]}x{size[1]}' in err
    assert ('65 is odd' in err) == (size[0] == '65')
