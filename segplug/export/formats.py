"""The formats by name: how a file is written, and how it is run again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import onnx_file, torch_files
from .graph import Graph
from .settings import Settings


@dataclass(frozen=True)
class Format:
    """How one format is written and run.

    Attributes:
        to_bytes: (graph, settings, metadata, multiple) -> the file and, if there is one, the
            program with its guards.
        load: Path -> a function of an array.
        runtime: () -> what runs it, with its version.
    """

    to_bytes: Callable[[Graph, Settings, Mapping, int], tuple[bytes, object]]
    load: Callable
    runtime: Callable[[], str]


FORMATS = {
    'onnx': Format(onnx_file.to_bytes, onnx_file.load, onnx_file.runtime),
    'torch-export': Format(torch_files.export_to_bytes, torch_files.load_export,
                           torch_files.runtime),
    'torchscript': Format(torch_files.script_to_bytes, torch_files.load_script,
                          torch_files.runtime)}
