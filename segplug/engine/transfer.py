"""The next batch goes to the GPU while the network works on this one.

A copy from ordinary memory, or on the stream of the kernels, waits for the network and makes
the host wait for both. From pinned memory on a stream of its own it takes no time of either.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.structures import BaseDataElement
from torch import nn


def input_device(model: nn.Module) -> torch.device:
    """Where the model's preprocessor puts its input; the CPU for a model without one."""
    model = model.module if is_model_wrapper(model) else model
    device = getattr(getattr(model, 'data_preprocessor', None), 'device', None)
    return torch.device(device or 'cpu')


def map_tensors(data: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """``data`` with every tensor changed, in mappings, sequences and data samples.

    What holds tensors is made anew; what is passed in stays as it is.
    """
    if isinstance(data, torch.Tensor):
        return change(data)
    if isinstance(data, BaseDataElement):
        return data.new(**{k: map_tensors(v, change) for k, v in data.items()})
    if isinstance(data, Mapping):
        return {k: map_tensors(v, change) for k, v in data.items()}
    if isinstance(data, tuple) and hasattr(data, '_fields'):
        return type(data)(*(map_tensors(v, change) for v in data))
    if isinstance(data, list | tuple):
        return type(data)(map_tensors(v, change) for v in data)
    return data


def ahead(batches: Iterable, device: torch.device) -> Iterator[tuple[Any, Any]]:
    """Each batch as it came, and as it lies on ``device``, where it is copied one batch ahead.

    Hooks and metrics get the first, as the loader made it. On other devices than CUDA both are
    the same object and nothing is read ahead.
    """
    if device.type != 'cuda':
        yield from ((batch, batch) for batch in batches)
        return
    stream, waiting = torch.cuda.Stream(device), None
    for batch in batches:
        following = batch, *_copied(batch, device, stream)
        if waiting is not None:
            yield _handed_over(*waiting)
        waiting = following
    if waiting is not None:
        yield _handed_over(*waiting)


def _copied(batch: Any, device: torch.device, stream: torch.cuda.Stream):
    """The batch on the device, once the event has happened."""
    with torch.cuda.stream(stream):
        copy = map_tensors(batch, lambda tensor: _pinned(tensor).to(device, non_blocking=True))
        return copy, stream.record_event()


def _pinned(tensor: torch.Tensor) -> torch.Tensor:
    # The loader's thread pins tensors in lists and dicts, but not those of data samples.
    return tensor.pin_memory() if tensor.device.type == 'cpu' else tensor


def _handed_over(batch: Any, copy: Any, done: torch.cuda.Event) -> tuple[Any, Any]:
    """Let the current stream wait for the copy, and keep its memory until that has used it."""
    current = torch.cuda.current_stream()
    current.wait_event(done)

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        tensor.record_stream(current)
        return tensor

    map_tensors(copy, keep)
    return batch, copy
