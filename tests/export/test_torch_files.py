"""Files of torch, loaded afresh."""

import io
import json
import warnings

import pytest
import torch
from tiny_nets import net, psp_net

from segplug.errors import ConfigError
from segplug.export import torch_files
from segplug.export.check import check
from segplug.export.graph import Graph
from segplug.export.settings import Settings

NEW = pytest.mark.skipif(not hasattr(torch.export.Dim, 'DYNAMIC'), reason='torch before 2.6')
KINDS = [
    pytest.param('torch-export', torch_files.export_to_bytes, torch_files.load_export, marks=NEW),
    ('torchscript', torch_files.script_to_bytes, torch_files.load_script)]


@pytest.mark.parametrize(('format', 'write', 'load'), KINDS)
def test_any_size_any_number(format, write, load, tmp_path):
    """Pooling over cells too, which ONNX has not."""
    settings = Settings(format=format, shape=(40, 56), dynamic=True, batch=True,
                        with_preprocess=True, argmax=True)
    model = psp_net()
    data, program = write(Graph(model, settings, 2), settings, {})
    assert (program is None) == (not hasattr(torch.export.Dim, 'DYNAMIC'))
    (tmp_path / 'x').write_bytes(data)
    assert max(one.difference / one.largest
               for one in check(model, load(tmp_path / 'x'), settings)) < 1e-5


@NEW
def test_the_metadata_of_an_exported_program():
    settings = Settings(format='torch-export', shape=(16, 24))
    data, _ = torch_files.export_to_bytes(Graph(net(), settings, 1), settings, dict(classes=['ä']))
    extra = {'segplug.json': ''}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.export.load(io.BytesIO(data), extra_files=extra)
    assert json.loads(extra['segplug.json']) == dict(classes=['ä'])
    assert __file__.encode() not in data


def test_the_metadata_of_a_script():
    settings = Settings(format='torchscript', shape=(16, 24))
    data, program = torch_files.script_to_bytes(Graph(net(), settings, 1), settings,
                                                dict(classes=['ä']))
    assert program is None  # one size: nothing to ask
    extra = {'segplug.json': ''}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.jit.load(io.BytesIO(data), _extra_files=extra)
    assert json.loads(extra['segplug.json']) == dict(classes=['ä'])


@pytest.mark.parametrize(('format', 'write', 'load'), KINDS)
def test_a_model_that_cannot_be_recorded_is_one_sentence(format, write, load):
    class Graph(torch.nn.Module):
        channels, num_images = 3, 1

        def forward(self, image):
            raise NotImplementedError('not in a graph\nmore\nand more')

    with pytest.raises(ConfigError, match=f'cannot be exported as {format}.*not in a graph more'):
        write(Graph(), Settings(format=format, shape=(8, 8)), {})
