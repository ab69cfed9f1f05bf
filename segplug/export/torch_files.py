"""The two formats of torch itself: `torch.export` programs, and TorchScript."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ..errors import ConfigError
from .graph import Graph
from .recording import cannot, example, quiet, record
from .settings import Settings

METADATA = 'segplug.json'  # the extra file in it


def export_to_bytes(graph: Graph, settings: Settings, metadata: Mapping, multiple: int = 1
                    ) -> tuple[bytes, object]:
    """The file of `torch.export.save`, and the program in it.

    Raises:
        ConfigError: The model cannot be recorded, or the program not be saved.
    """
    program, file = record(graph, settings, multiple), io.BytesIO()
    try:
        with quiet():
            torch.export.save(program, file, extra_files={METADATA: json.dumps(metadata)})
    except Exception as error:  # it does not know every operation on sizes: math.ceil of torch 2.13
        raise cannot(settings, error) from error
    return file.getvalue(), program


def script_to_bytes(graph: Graph, settings: Settings, metadata: Mapping, multiple: int = 1
                    ) -> tuple[bytes, object | None]:
    """The file of `torch.jit.save`, and the program of `torch.export`, if there can be one.

    A trace has no guards; the program, of the same code, has.

    Raises:
        ConfigError: The model cannot be traced.
    """
    file = io.BytesIO()
    try:
        with quiet(), torch.no_grad():
            script = torch.jit.trace(graph, example(graph, settings, multiple), check_trace=False)
            torch.jit.save(script, file, _extra_files={METADATA: json.dumps(metadata)})
    except Exception as error:  # the code of a model may do whatever a trace cannot
        raise cannot(settings, error) from error
    return file.getvalue(), _program(graph, settings, multiple)


def _program(graph: Graph, settings: Settings, multiple: int):
    if not settings.any_dims:
        return None
    try:
        return record(graph, replace(settings, format='torch-export'), multiple)
    except ConfigError:
        return None


def runtime() -> str:
    return f'torch {torch.__version__}'


def load_export(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A file of `torch.export.save`, as torch runs it."""
    with quiet():
        return _with_arrays(torch.export.load(io.BytesIO(Path(path).read_bytes())).module())


def load_script(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A file of `torch.jit.save`, as torch runs it."""
    with quiet():
        return _with_arrays(torch.jit.load(str(path), map_location='cpu'))


def _with_arrays(module: Callable) -> Callable[[np.ndarray], np.ndarray]:
    def run(image: np.ndarray) -> np.ndarray:
        with quiet(), torch.no_grad():
            return module(torch.from_numpy(image)).numpy()
    return run
