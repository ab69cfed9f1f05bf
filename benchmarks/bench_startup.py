"""How long until something happens: `segplug --help`, and `segplug train` to its first iteration.

The baseline for the training is a script that imports everything at once, as toolboxes do that
register all of their components at import: every module of segplug, and the packages that it
only uses now and then. Aims: help in 0.5 s; the first iteration in half of the baseline's time.
Each is a process of its own; they take turns.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, figure, main, row

CONFIG = 'unet/unet_r18_minicity.py'
FIRST = 'Iter(train)'  # of the log's first line of the training
OPTIONS = ('train_cfg.max_iters=1', 'default_hooks.logger.interval=1', 'val_dataloader=None',
           'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
           'train_dataloader.batch_size=2')
PLAIN = """
import importlib, pkgutil, sys
for name in ('torch', 'torch.utils.tensorboard', 'mmengine', 'mmcv', 'cv2', 'numpy', 'scipy',
             'scipy.ndimage', 'scipy.io', 'pandas', 'matplotlib.pyplot', 'PIL.Image', 'numba',
             'medpy.metric', 'tifffile'):
    importlib.import_module(name)
import segplug
for found in pkgutil.walk_packages(segplug.__path__, 'segplug.'):
    if 'cuda' not in found.name and not found.name.startswith('segplug.compat.mmseg'):
        importlib.import_module(found.name)
from segplug.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def until(command: list[str], text: str | None) -> float:
    """Seconds until a line of output holds ``text``, or until the end."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        seconds, lines = None, []
        for line in process.stdout:
            lines.append(line)
            if seconds is None and text is not None and text in line:
                seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f'{command} ended with {process.returncode}:\n{"".join(lines[-20:])}')
    return seconds if text is not None else time.perf_counter() - start


def by_turns(commands: dict[str, list[str]], text: str | None, repeats: int) -> dict[str, float]:
    """Median seconds of each; the first turn fills caches and does not count."""
    times = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, command in commands.items():
            seconds = until(command, text)
            if turn:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def run(args: argparse.Namespace) -> list[dict]:
    repeats = 1 if args.quick else 9
    segplug = [sys.executable, '-m', 'segplug.cli.main']
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*segplug, 'make-minicity', str(folder / 'data'), '--train', '4', '--val',
                        '1', '--test', '1'], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        plain = folder / 'plain.py'
        plain.write_text(f'import sys\nsys.path.insert(0, {str(ROOT)!r})\n{PLAIN}')
        training = ['train', CONFIG, '--data-root', str(folder / 'data'), '--cfg-options', *OPTIONS,
                    '--work-dir']
        helps = by_turns({'help': [*segplug, '--help']}, None, repeats)
        first = by_turns({'plain': [sys.executable, str(plain), *training, str(folder / 'a')],
                          'ours': [*segplug, *training, str(folder / 'b')]}, FIRST, repeats)
        bare = by_turns({'torch': [sys.executable, '-c', 'import torch']}, None, repeats)
    return [figure('segplug --help', 1000 * helps['help'], 'ms', aim=500),
            row('segplug train to its first iteration', 1000 * first['plain'],
                1000 * first['ours'], 'ms', aim=2.0),
            figure('import torch alone', 1000 * bare['torch'], 'ms')]


if __name__ == '__main__':
    main(__doc__, run)
