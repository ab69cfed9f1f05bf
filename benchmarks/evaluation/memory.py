"""Peak memory of a test step over the network's own.

On a CPU each figure is the high-water mark (VmHWM of Linux) of a fresh process that tests one
frame, minus that of a fresh process that only runs the network on inputs of the same shapes; both
have tested a tiny image before, so that libraries and compiled code are not counted. On a GPU
it is what torch's allocator had at most, alike.

    cd benchmarks; python -m evaluation.memory JSON     # what `measured` starts
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from common import set_threads

from segplug.structures import SegDataSample

from .frames import dataset
from .networks import ALMOST_FREE
from .procedures import Side, side

# By their number: augmentations that all contain the largest scale, where most memory is used.
AUGMENTATIONS = {
    2: dict(scales=(1.0, 1.75), flip=False),
    4: dict(scales=(1.0, 1.75), flip=True),
    8: dict(scales=(0.5, 1.0, 1.5, 1.75), flip=True),
    12: dict(scales=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75), flip=True),
    24: dict(scales=tuple(0.5 + 1.25 * i / 11 for i in range(12)), flip=True)}
_KB_PER_MB = 1024
REPEATS = 3  # of each figure on a CPU, which is their median


@dataclass
class Task:
    """What a process does: test frame 0 of the tree at ``root``, or, with ``shapes``, only run
    the network on inputs of those shapes."""

    kind: str
    test_cfg: dict
    root: str
    threads: int
    shapes: list | None = None


def measured(kind: str, num_augs: int, root: str, threads: int) -> dict[str, float]:
    """MB: ``over`` the network's own, and the ``whole`` process.

    Args:
        kind: 'ours' or 'mmseg'.
        num_augs: A key of `AUGMENTATIONS`.
        root: Tree of frames.
        threads: Of torch.

    Raises:
        RuntimeError: A process failed; its error is the text.
    """
    task = Task(kind, AUGMENTATIONS[num_augs], str(root), threads)
    shapes = _in_process(task)['shapes']
    whole, network = (statistics.median(_in_process(each)['mb'] for _ in range(REPEATS))
                      for each in (task, replace(task, shapes=shapes)))
    return dict(over=whole - network, whole=whole)


def measured_on_gpu(kind: str, num_augs: int, frames) -> dict[str, float]:
    """The same on a GPU; ``frames`` is the data set."""
    one = side(kind, ALMOST_FREE, AUGMENTATIONS[num_augs], frames, 'cuda')
    before = torch.cuda.memory_allocated()
    whole = _allocated(lambda: _test(one)) - before
    network = _allocated(lambda: _only_network(one, one.network.shapes, 'cuda')) - before
    return dict(over=(whole - network) / 2**20, whole=whole / 2**20)


def do(task: Task) -> dict:
    """The task, in this process: MB at most, and the shapes that went into the network."""
    set_threads(task.threads)
    frames = dataset(Path(task.root))
    tiny = dict(inputs=torch.zeros(3, 64, 64, dtype=torch.uint8), data_samples=SegDataSample())
    side('ours', ALMOST_FREE, task.test_cfg, frames, 'cpu').way.predict(tiny)
    one = side(task.kind, ALMOST_FREE, task.test_cfg, frames, 'cpu')
    if task.shapes is None:
        _test(one)
    else:
        _only_network(one, task.shapes, 'cpu')
    return dict(mb=high_water_mb(), shapes=sorted(one.network.shapes))


def high_water_mb() -> float:
    """The most resident memory this process has had."""
    lines = Path('/proc/self/status').read_text().splitlines()
    return int(next(x for x in lines if x.startswith('VmHWM')).split()[1]) / _KB_PER_MB


def _test(one: Side) -> None:
    data = one.way.read(0)
    one.way.score(one.way.predict(data), data)


@torch.no_grad()
def _only_network(one: Side, shapes, device: str) -> None:
    for shape in shapes:
        one.network(torch.rand(*shape, device=device))


def _allocated(function: Callable[[], None]) -> int:
    """Bytes of torch's allocator on the GPU, at most, while ``function`` runs."""
    torch.cuda.reset_peak_memory_stats()
    function()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated()


def _in_process(task: Task) -> dict:
    # A fixed threshold: glibc raises its own with each large block that is freed, and then
    # keeps later ones for itself, some more and some less.
    done = subprocess.run([sys.executable, '-m', 'evaluation.memory', json.dumps(asdict(task))],
                          cwd=Path(__file__).parents[1], capture_output=True, text=True,
                          env={**os.environ, 'MALLOC_MMAP_THRESHOLD_': str(1 << 20)})
    if done.returncode:
        raise RuntimeError(f'Peak memory of {task.kind} could not be measured.\n{done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == '__main__':
    print(json.dumps(do(Task(**json.loads(sys.argv[1])))))
