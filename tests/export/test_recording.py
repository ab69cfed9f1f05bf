"""What a graph is recorded with, and what is said where it cannot be."""

import logging
import warnings

import pytest
import torch
from tiny_nets import net

from segplug.errors import ConfigError
from segplug.export import recording
from segplug.export.graph import Graph
from segplug.export.settings import Settings


@pytest.mark.parametrize(('given', 'multiple', 'shape'), [
    (dict(shape=(40, 56)), 1, (2, 3, 40, 56)),
    (dict(shape=(40, 56), with_preprocess=True), 1, (2, 40, 56, 3)),
    # Large enough that no map has one cell; 600 goes up to the next multiple of 32.
    (dict(shape=(40, 600), dynamic=True), 32, (2, 3, 512, 608))])
def test_what_a_graph_is_recorded_with(given, multiple, shape):
    settings = Settings(**given)
    assert recording.example(Graph(net(), settings, 2), settings, multiple).shape == shape


def test_an_old_torch_is_told(monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.4.1+cpu')
    recording.check_torch(Settings(format='torchscript'))
    for format in ('onnx', 'torch-export'):
        with pytest.raises(ConfigError, match='needs torch 2.6 or newer.*--format torchscript'):
            recording.check_torch(Settings(format=format))


def test_an_error_of_an_exporter_is_a_sentence():
    error = recording.cannot(Settings(dynamic=True), RuntimeError('a\n\n  \x1b[96mb\x1b[0m\nc'))
    assert str(error) == (
        'This model cannot be exported as onnx for images of any size. Got: RuntimeError: a b. '
        'To mend it: leave --dynamic away, or take another --format.')
    assert 'KeyError: it says no more' in str(recording.cannot(Settings(), KeyError()))


def test_exporters_are_quiet(caplog):
    with recording.quiet():
        warnings.warn('inside', stacklevel=1)  # an error elsewhere in these tests
        logging.getLogger('torch.onnx').warning('inside')
    logging.getLogger('torch.onnx').warning('after')
    assert [record.message for record in caplog.records] == ['after']
