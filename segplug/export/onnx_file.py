"""ONNX: one file that holds the weights, named dimensions and the metadata."""

import importlib
import json
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from ..errors import ConfigError
from .graph import Graph
from .recording import cannot, quiet, record
from .settings import Settings
from .sizes import refuse_adaptive_pools

METADATA = 'segplug'  # the key of the metadata
_NEEDS = ('onnx', 'onnxscript', 'onnxruntime')
_LIMIT = 2**31 - 2**20  # bytes of a protobuf message, and some room for the graph


def check_packages() -> None:
    """Raise a ConfigError where a package is missing."""
    for name in _NEEDS:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(f'--format onnx needs {name}, which is not installed.', got=error,
                              fix='pip install "segplug[export]"; --format torch-export and '
                                  'torchscript need no more than torch') from error


def to_bytes(graph: Graph, settings: Settings, metadata: Mapping, multiple: int = 1
             ) -> tuple[bytes, object]:
    """The file, and the program that it was made of.

    Raises:
        ConfigError: The model has what ONNX has not, or is too large for one file.
    """
    check_packages()
    _check_weights(graph)
    program = record(graph, settings, multiple)
    refuse_adaptive_pools(program, settings)
    try:
        with quiet():
            made = torch.onnx.export(
                program, dynamo=True, opset_version=settings.opset, verbose=False,
                input_names=['image'], output_names=[settings.output],
                custom_translation_table={operator.floordiv: _floordiv()})
        proto = made.model_proto
    except Exception as error:  # of the exporter, which has a type for each of its stages
        raise cannot(settings, error) from error
    _tidy(proto, settings, metadata)
    return proto.SerializeToString(), program


def _floordiv() -> Callable:
    """``//`` of sizes, rounded down as in Python.

    The exporter's own rounds towards zero, which makes `-(-7 // 2)` three.
    """
    from onnxscript import INT64
    from onnxscript import opset18 as op

    def floordiv(size: INT64, other: INT64) -> INT64:
        return op.Div(op.Sub(size, op.Mod(size, other)), other)
    return floordiv


def _check_weights(graph: Graph) -> None:
    size = sum(p.numel() * p.element_size() for p in graph.parameters())
    if size > _LIMIT:
        raise ConfigError('The weights are too large for ONNX, of which one file holds 2 GB.',
                          got=f'{size / 1e9:.1f} GB', fix='take --format torch-export')


def _tidy(proto, settings: Settings, metadata: Mapping) -> None:
    """Give dimensions their names, take out paths of this machine, add the metadata."""
    found = max(entry.version for entry in proto.opset_import if entry.domain in ('', 'ai.onnx'))
    if settings.opset is not None and found != settings.opset:
        raise ConfigError(f'This model cannot be written in opset {settings.opset}.',
                          got=f'opset {found}', culprit='opset', fix=f'take --opset {found}')
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    names = {dims[i].dim_param: name for i, name in settings.any_dims.items()}
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = re.sub(r'\w+', lambda word: names.get(word[0], word[0]),
                                       dim.dim_param)
    for entry in (*proto.graph.node, *(node for f in proto.functions for node in f.node),
                  *proto.graph.input, *proto.graph.output, *proto.graph.value_info,
                  *proto.graph.initializer, proto.graph, proto):
        entry.ClearField('metadata_props')
        entry.ClearField('doc_string')
    proto.metadata_props.add(key=METADATA, value=json.dumps(metadata))


def runtime() -> str:
    import onnxruntime
    return f'onnxruntime {onnxruntime.__version__}'


def load(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The file, as onnxruntime runs it."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options,
                                           providers=['CPUExecutionProvider'])
    return lambda image: session.run(None, {'image': image})[0]
