"""ONNX files, run by onnxruntime."""

import json
import sys

import numpy as np
import pytest
import torch
from tiny_nets import net

from segplug.errors import ConfigError
from segplug.export import onnx_file
from segplug.export.check import check
from segplug.export.graph import Graph
from segplug.export.settings import Settings

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytestmark = pytest.mark.skipif(not hasattr(torch.export.Dim, 'DYNAMIC'),
                                reason='torch before 2.6')
SETTINGS = Settings(shape=(40, 56), dynamic=True, batch=True, with_preprocess=True, argmax=True)


@pytest.fixture(scope='module')
def model():
    return net()


@pytest.fixture(scope='module')
def file(model, tmp_path_factory):
    data, _ = onnx_file.to_bytes(Graph(model, SETTINGS, 2), SETTINGS, dict(classes=['ä']))
    path = tmp_path_factory.mktemp('onnx') / 'x.onnx'
    path.write_bytes(data)
    return path


def test_any_size_any_number(model, file):
    assert max(one.difference / one.largest
               for one in check(model, onnx_file.load(file), SETTINGS)) < 1e-5


def test_lengths_are_rounded_as_in_python(tmp_path):
    class Crops(torch.nn.Module):
        channels, num_images = 3, 2

        def forward(self, image):
            return image[:, :, :-(-image.shape[2] // 2), :image.shape[3] + -image.shape[3] // 3]

    settings = Settings(shape=(40, 56), dynamic=True)
    data, _ = onnx_file.to_bytes(Crops(), settings, {})
    (tmp_path / 'x.onnx').write_bytes(data)
    run = onnx_file.load(tmp_path / 'x.onnx')
    # Half of 7 rows, rounded up; 8 columns less the 3 that a third of them is when rounded up.
    assert run(np.zeros((2, 3, 7, 8), np.float32)).shape == (2, 3, 4, 5)
    assert run(np.zeros((2, 3, 6, 9), np.float32)).shape == (2, 3, 3, 6)


def test_what_stands_in_the_file(file):
    proto = onnx.load(file)
    onnx.checker.check_model(proto)
    taken, given = proto.graph.input[0], proto.graph.output[0]
    assert (taken.name, given.name) == ('image', 'labels')
    assert taken.type.tensor_type.elem_type == given.type.tensor_type.elem_type \
        == onnx.TensorProto.UINT8
    assert [dim.dim_param or dim.dim_value for dim in taken.type.tensor_type.shape.dim] == [
        'batch', 'height', 'width', 3]
    assert given.type.tensor_type.shape.dim[0].dim_param == 'batch'
    assert {entry.key: json.loads(entry.value) for entry in proto.metadata_props} == {
        'segplug': dict(classes=['ä'])}
    assert b'.py' not in file.read_bytes()  # no path of this machine
    assert not list(file.parent.glob('*.data'))


def test_a_model_with_one_size_takes_no_other(model, tmp_path):
    settings = Settings(shape=(16, 24), opset=18)
    data, _ = onnx_file.to_bytes(Graph(model, settings, 1), settings, {})
    (tmp_path / 'x.onnx').write_bytes(data)
    run = onnx_file.load(tmp_path / 'x.onnx')
    assert check(model, run, settings)[0].difference < 1e-3
    with pytest.raises(Exception, match='Got: 17 Expected: 16'):
        run(np.zeros((1, 3, 17, 24), np.float32))
    assert onnx.load(tmp_path / 'x.onnx').opset_import[0].version == 18


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    with pytest.raises(ConfigError, match=r'needs onnxscript.*pip install "segplug\[export\]"'):
        onnx_file.check_packages()


def test_what_is_too_large_for_one_file(model, monkeypatch):
    monkeypatch.setattr(onnx_file, '_LIMIT', 100)
    with pytest.raises(ConfigError, match='holds 2 GB.*--format torch-export'):
        onnx_file.to_bytes(Graph(model, SETTINGS, 2), SETTINGS, {})
