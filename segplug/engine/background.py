"""A checkpoint is copied while the next step computes, and written in a thread behind it.

Between a save and the next step of the optimizer, or the hooks after the next iteration, no
parameter, optimizer state or average changes; only buffers do (the statistics of BatchNorm, in the
forward pass). So those are copied at once and the rest behind the next forward and backward pass;
who is about to change it waits for `copied`.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from .checkpoint import check_plain, save_checkpoint, to_plain


class BackgroundWriter:
    """Writes checkpoints one after the other, byte for byte as `save_checkpoint` does.

    The copy's memory is kept for the next save: as much as the checkpoint is large (pinned, for
    tensors on a GPU).
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, 'checkpoint')
        self._futures: list[Future] = []
        self._copied = threading.Event()
        self._copied.set()
        self._copier = _Copier()
        self._error: BaseException | None = None

    def save(self, checkpoint: dict, path: Path, changing: Iterable[Tensor] = ()) -> None:
        """Start to write ``checkpoint``; waits for the one before, which may have failed.

        Args:
            checkpoint: Tensors on any device and what `to_plain` makes plain data of.
            path: Of the file.
            changing: Tensors of it that may change before `copied` is called.

        Raises:
            CheckpointError: Of this one, that it holds more than data; or whatever stopped the
                writing of the one before.
        """
        self.finish()
        plain = to_plain(checkpoint, move=False)
        check_plain(plain)
        copy, later = self._copier.begin(plain, {_storage(tensor) for tensor in changing})
        self._copied.clear()

        def work() -> None:
            try:
                later()
            finally:
                self._copied.set()
            save_checkpoint(copy, path)

        self.then(work)

    def then(self, function: Callable[[], object]) -> None:
        """Call ``function`` in the thread, after what was asked for before; not if that failed."""
        def call() -> None:
            if self._error is None:
                try:
                    function()
                except BaseException as error:  # raised in the main thread, by `finish`
                    self._error = error
        self._futures.append(self._pool.submit(call))

    def copied(self, *_) -> None:
        """Wait until every tensor may change; takes and ignores what an optimizer's hook gets."""
        self._copier.hold_device()
        self._copied.wait()

    def finish(self) -> None:
        """Wait until everything is written, and raise what went wrong."""
        for future in self._futures:
            future.result()
        self._futures.clear()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Let the thread end, when it has written everything."""
        self._pool.shutdown()


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


class _Copier:
    """Copies of tensors, in memory that is used again by the next copy of the same tensors."""

    def __init__(self) -> None:
        self._kept: list[Tensor] = []
        self._stream: torch.cuda.Stream | None = None
        self._done: torch.cuda.Event | None = None

    def begin(self, value: dict, changing: set[int]) -> tuple[dict, Callable[[], None]]:
        """(a copy of ``value``, what fills the part of it that is not in ``changing``)."""
        self._used, self._at_once, self._later, self._device = 0, [], [], []
        self._changing, self._known = changing, {}
        copy = self._tree(value)
        del self._kept[self._used:]
        _fill(self._at_once)
        self._start_device()
        pairs, done = self._later, self._done

        def later() -> None:
            _fill(pairs)
            if done is not None:
                done.synchronize()

        return copy, later

    def hold_device(self) -> None:
        """What the current stream does from now on comes after the copies from the device."""
        if self._done is not None:
            torch.cuda.current_stream().wait_event(self._done)
            self._done = None

    def _tree(self, value):
        if isinstance(value, Tensor):
            return self._from_host(value) if value.device.type == 'cpu' else \
                self._from_device(value)
        if isinstance(value, dict):
            copy = type(value)((k, self._tree(v)) for k, v in value.items())
            if isinstance(value, OrderedDict):
                copy.__dict__.update(value.__dict__)
            return copy
        if type(value) in (list, tuple):
            return type(value)(self._tree(v) for v in value)
        return value

    def _from_host(self, tensor: Tensor) -> Tensor:
        """Tensors that share memory share it in the copy: it is written once."""
        key = _storage(tensor)
        if key not in self._known:
            source = torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage())
            self._known[key] = self._memory(source, pinned=False)
            pair = self._known[key], source
            (self._at_once if key in self._changing else self._later).append(pair)
        return torch.empty(0, dtype=tensor.dtype).set_(
            self._known[key].untyped_storage(), tensor.storage_offset(), tensor.size(),
            tensor.stride())

    def _from_device(self, tensor: Tensor) -> Tensor:
        memory = self._memory(tensor, pinned=tensor.device.type == 'cuda')
        self._device.append((memory, tensor))
        return memory

    def _memory(self, like: Tensor, pinned: bool) -> Tensor:
        place, self._used = self._used, self._used + 1
        kept = self._kept[place] if place < len(self._kept) else None
        if kept is None or (kept.dtype, kept.shape, kept.is_pinned()) != (
                like.dtype, like.shape, pinned):
            kept = torch.empty_like(like, device='cpu', pin_memory=pinned)
            self._kept[place:place + 1] = [kept]
        return kept

    def _start_device(self) -> None:
        """Copy from a GPU on a stream of its own, between what was asked for before and after."""
        self._done = None
        if not self._device:
            return
        if self._device[0][1].device.type != 'cuda':
            _fill(self._device)
            return
        self._stream = self._stream or torch.cuda.Stream()
        self._stream.wait_stream(torch.cuda.current_stream())
        changing = [pair for pair in self._device if _storage(pair[1]) in self._changing]
        with torch.cuda.stream(self._stream):
            _fill(changing, non_blocking=True)
            first = self._stream.record_event()
            _fill([pair for pair in self._device if _storage(pair[1]) not in self._changing],
                  non_blocking=True)
            self._done = self._stream.record_event()
        torch.cuda.current_stream().wait_event(first)


def _fill(pairs: list[tuple[Tensor, Tensor]], non_blocking: bool = False) -> None:
    for memory, source in pairs:
        memory.copy_(source, non_blocking=non_blocking)
