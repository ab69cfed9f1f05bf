"""What every benchmark shares: arguments, timing, the record of the machine, the result file.

A benchmark is a script beside this one with a function ``run(args) -> rows`` and one last line
``main(__doc__, run)``. A row compares a plain baseline with ours on the same inputs in the
same process, by turns, because machines differ and drift; so ratios are what to quote.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # segplug need not be installed

SKIPPED = 77  # exit code of a benchmark that lacks an optional package
PACKAGES = ('torch', 'numpy', 'opencv-python', 'opencv-python-headless', 'mmengine', 'mmcv-lite',
            'triton', 'numba', 'isal', 'pillow')


def size_of(text: str) -> tuple[int, int]:
    """'2048x1024', width first as image sizes are written, -> (H, W)."""
    width, height = (int(part) for part in text.lower().split('x'))
    return height, width


def parse_args(description: str, argv: list[str] | None = None,
               options: Callable[[argparse.ArgumentParser], None] | None = None
               ) -> argparse.Namespace:
    """--device, --quick, --size, --threads and --out, and what ``options`` adds."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    parser.add_argument('--quick', action='store_true',
                        help='a minute at most: fewer repeats and, on a CPU, smaller images')
    parser.add_argument('--size', type=size_of, metavar='WxH', help='size of the images')
    parser.add_argument('--threads', type=int, metavar='N',
                        help='of torch and OpenCV, on the CPU; default 1 (bench_evaluation: 1, '
                             'then 2)')
    parser.add_argument('--out', metavar='FILE', help='write the result as JSON')
    if options is not None:
        options(parser)
    return parser.parse_args(argv)


def set_threads(count: int) -> None:
    """Of torch and OpenCV."""
    import cv2
    import torch
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def row(case: str, baseline: float, ours: float, unit: str = 'ms', **more) -> dict:
    """One comparison; ``ratio`` is how many times better ours is, whichever way is better.

    Args:
        case: What was compared.
        baseline, ours: In ``unit``.
        unit: 'ms' or 'MB', where less is better, or a rate such as 'images/s', where more is.
        more: Anything else to keep, such as a peak of memory.
    """
    ratio = baseline / ours if unit in ('ms', 'MB') else ours / baseline
    return dict(case=case, baseline=baseline, ours=ours, unit=unit, ratio=ratio, **more)


def figure(case: str, value: float, unit: str, **more) -> dict:
    """A row without a baseline to compare with."""
    return dict(case=case, baseline=None, ours=value, unit=unit, ratio=None, **more)


def measure(functions: dict[str, Callable[[], object]], device: str, repeats: int = 5,
            warmup: int = 1) -> dict[str, float]:
    """Median time of one call of each, in ms; the functions take turns.

    Args:
        functions: By name; none takes an argument.
        device: On 'cuda' a time ends when the device has done what was asked of it.
        repeats: Timed calls of each.
        warmup: Calls of each before the first timed one.
    """
    times = {name: [] for name in functions}
    for turn in range(warmup + repeats):
        for name, function in functions.items():
            _wait(device)
            start = time.perf_counter()
            function()
            _wait(device)
            if turn >= warmup:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def _wait(device: str) -> None:
    if device == 'cuda':
        import torch
        torch.cuda.synchronize()


def environment(device: str) -> dict:
    """Commit, time, hardware and versions: what a figure means nothing without."""
    import torch

    from segplug import __version__
    on_cuda = device == 'cuda'
    versions = {'python': platform.python_version(), 'segplug': str(__version__),
                'cuda': torch.version.cuda if on_cuda else None}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    commit, changes = _git('rev-parse', 'HEAD'), _git('status', '--porcelain', '-uno')
    return dict(commit=commit, changed_since_commit=None if commit is None else bool(changes),
                time=datetime.now(timezone.utc).isoformat(timespec='seconds'),
                cpu=cpu_model(), cores=num_cores(),
                gpu=torch.cuda.get_device_name() if on_cuda else None,
                gpu_memory_mb=torch.cuda.get_device_properties(0).total_memory >> 20
                if on_cuda else None, versions=versions)


def _git(*arguments: str) -> str | None:
    """What git says; None outside of a repository or without git."""
    try:
        done = subprocess.run(['git', '-C', str(ROOT), *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def cpu_model() -> str:
    """The processor's name."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def num_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def table(rows: list[dict]) -> str:
    """The rows as text, one line each."""
    lines = [('case', 'baseline', 'ours', 'unit', 'ratio')]
    lines += [(r['case'], *('-' if r[k] is None else f'{r[k]:.2f}' for k in ('baseline', 'ours')),
               r['unit'], '-' if r['ratio'] is None else f'{r["ratio"]:.2f}x') for r in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return '\n'.join('  '.join(cell.ljust(w) if i in (0, 3) else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(line, widths, strict=True)))
                     for line in lines)


def main(description: str, run: Callable[[argparse.Namespace], list[dict]],
         argv: list[str] | None = None, report: Callable[[list[dict]], str] | None = None,
         options: Callable[[argparse.ArgumentParser], None] | None = None) -> None:
    """Run one benchmark: print its table, and what ``report`` makes of the rows; write its JSON."""
    args = parse_args(description, argv, options)
    import torch
    set_threads(args.threads or 1)
    torch.manual_seed(0)
    rows = run(args)
    print(table(rows))
    if report is not None:
        print(report(rows))
    if args.out:
        write_json(args.out, dict(environment=environment(args.device), quick=args.quick,
                                  threads=args.threads or 1, rows=rows))


def write_json(path: str | Path, value: dict) -> None:
    """Indented, newline at the end; the folder is made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + '\n')
