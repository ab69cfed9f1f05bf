"""The CUDA kernel, interpreted on the CPU, against plain torch; and what it does where it cannot
be compiled. tests/gpu runs the same cases on a GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from segplug.ops.fuse import fuse_plain
from segplug.ops.geometry import Layer, axes

pytest.importorskip('triton', reason='triton, which compiles the CUDA kernel, is not installed')

from cuda_fuse_cases import CASES  # noqa: E402
from triton.errors import TritonError  # noqa: E402
from triton.runtime import errors  # noqa: E402
from triton.runtime.errors import OutOfResources  # noqa: E402

from segplug.ops.kernels import cuda_fuse  # noqa: E402

PTXASError = getattr(errors, 'PTXASError', TritonError)  # triton 3.0 has none


@pytest.fixture(scope='module')
def differences():
    """Per case, from a process of its own: Triton decides at its import whether it interprets."""
    if cuda_fuse._unusable:
        pytest.skip('this Triton is too old for the kernel, and plain torch takes its place')
    script = Path(__file__).with_name('cuda_fuse_cases.py')
    done = subprocess.run([sys.executable, str(script)], text=True, capture_output=True,
                          env={**os.environ, 'TRITON_INTERPRET': '1',
                               'PYTHONPATH': os.pathsep.join(filter(None, sys.path))})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize('name', CASES)
def test_interpreted_equals_plain_torch(name, differences):
    found = differences[name]
    assert found['calls'] > 0
    assert found['labels'] == 0
    assert found['scores'] < 1e-5


# --- maps ----------------------------------------------------------------------------------


def test_windows_that_do_not_overlap_share_a_slot():
    # of 6 pixels, one cell each: windows 0 and 2 do not overlap, so there are two slots
    windows = axes(6, 6, ((0, 3), (2, 5), (3, 6)), 3).windows
    slots = cuda_fuse._slots(windows, 6)
    assert slots[:, 0].tolist() == [[0, 0, 0, 2, 2, 2], [-1, -1, 1, 1, 1, -1]]
    assert slots[:, 1].tolist() == [[0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 2, 0]]
    assert not slots[:, 2].any()


def test_a_window_of_padding_alone_takes_no_slot():
    windows = axes(4, 4, ((0, 4), (4, 8)), 4).windows
    assert cuda_fuse._slots(windows, 4)[:, 0].tolist() == [[0, 0, 0, 0]]


def test_weights_keep_their_bits():
    # two cells over four pixels: pixel 1 lies a quarter, pixel 2 three quarters between them
    slots = cuda_fuse._slots(axes(4, 4, ((0, 4),), 2).windows, 4)
    assert slots[0, 2].view(torch.float32).tolist() == [0, .25, .75, 0]


# --- where it cannot be compiled -----------------------------------------------------------


def small_layer(num_windows=1):
    spans = tuple((i, 5 + i) for i in range(num_windows))
    size = 4 + num_windows
    rows, cols = axes(size, size, spans, 5), axes(size, size, spans, 5)
    tiles = [[torch.randn(1, 2, 5, 5) for _ in spans] for _ in spans]
    return Layer(tiles, (False,), rows.windows, cols.windows, rows.share, cols.share), size


def labels_with(function, layer, size):
    labels = torch.full((size, size), 9, dtype=torch.uint8)
    function(layer, (0, size), softmax=False, weigh=False, add=False, store=False, threshold=.5,
             total=None, labels=labels)
    return labels


@pytest.fixture
def said(monkeypatch):
    messages = []
    monkeypatch.setattr(cuda_fuse, 'print_log', lambda text, *a: messages.append(text))
    monkeypatch.setattr(cuda_fuse, '_unusable', False)
    return messages


@pytest.mark.parametrize('error', [
    RuntimeError('Failed to find C compiler. Please specify via CC environment variable.'),
    RuntimeError('0 active drivers ([]). There should only be one.'),
    RuntimeError('Triton Error [CUDA]: device kernel image is invalid'),
    AssertionError('libcuda.so cannot found!'), PTXASError('unsupported architecture'),
    subprocess.CalledProcessError(1, ['gcc']), FileNotFoundError('gcc'),
    OutOfResources(300000, 232448, 'shared memory'),
], ids=lambda error: type(error).__name__)
def test_plain_torch_takes_over_and_says_so_once(error, said, monkeypatch):
    tried = []

    def launch(*args, **settings):
        tried.append(args)
        raise error

    monkeypatch.setattr(cuda_fuse, 'launch', launch)
    layer, size = small_layer()
    expected = labels_with(fuse_plain, layer, size)
    for _ in range(2):
        assert torch.equal(labels_with(cuda_fuse.fuse, layer, size), expected)
    assert len(tried) == len(said) == 1
    assert type(error).__name__ in said[0]


@pytest.mark.parametrize('error', [
    torch.OutOfMemoryError('CUDA out of memory.'), ValueError('PTX'),
    RuntimeError('Triton Error [CUDA]: an illegal memory access was encountered'),
    RuntimeError('Triton Error [CUDA]: out of memory'), AssertionError('of our own'),
], ids=lambda error: type(error).__name__)
def test_other_errors_are_not_hidden(error, said, monkeypatch):
    def launch(*args, **settings):
        raise error

    monkeypatch.setattr(cuda_fuse, 'launch', launch)
    with pytest.raises(type(error)):
        labels_with(cuda_fuse.fuse, *small_layer())
    assert not said


def test_very_many_windows_above_each_other_are_left_to_plain_torch(said, monkeypatch):
    monkeypatch.setattr(cuda_fuse, 'launch', None)
    layer, size = small_layer(num_windows=4)  # pixel 4 of each axis lies in all four
    assert torch.equal(labels_with(cuda_fuse.fuse, layer, size),
                       labels_with(fuse_plain, layer, size))
    assert not said
