"""How long until something happens: `segplug --help`, and `segplug train` to its first iteration.

Two baselines for the training. `startup/plain.py` imports everything at once, as toolboxes do that
register all of their components at import, and then trains as segplug does. With --mmseg-python,
the interpreter of an environment that has it with mmengine and mmcv-lite, mmsegmentation's own
tools/train.py trains an FCN-R18 that both have. Aims: help in 0.5 s; half of the time of either.
Each is a process of its own; they take turns, and the first turn, which fills caches, does not
count. The last rows are what no training with mmengine can leave out.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, figure, main, row

HERE = Path(__file__).resolve().parent / 'startup'
CONFIG = 'unet/unet_r18_minicity.py'
FIRST = 'Iter(train)'  # of the log's first line of the training
OPTIONS = ('train_cfg.max_iters=1', 'default_hooks.logger.interval=1', 'val_dataloader=None',
           'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
           'train_dataloader.batch_size=2')
SEGPLUG = [sys.executable, '-m', 'segplug.cli.main']
# What a training with mmengine imports, whatever else it leaves out.
FLOORS = {'import torch alone': 'import torch',
          'import of torch, mmengine.runner and mmcv.cnn alone':
              'import torch, mmengine.runner, mmcv.cnn'}
PEERS = ('mmsegmentation', 'torch', 'mmengine', 'mmcv', 'mmcv-lite', 'numpy', 'opencv-python')
ASK = """import json, sys
from importlib.metadata import distributions
print(json.dumps({d.name: d.version for d in distributions() if d.name in sys.argv[1:]}))"""


def versions(python: str) -> dict[str, str]:
    """What is installed beside an interpreter, of `PEERS`: its times are those of these."""
    return json.loads(subprocess.check_output([python, '-c', ASK, *PEERS], text=True))


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
    """Median milliseconds of each; the first turn fills caches and does not count."""
    times = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, command in commands.items():
            seconds = until(command, text)
            if turn:
                times[name].append(1000 * seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--mmseg-python', metavar='PATH',
                        help='interpreter of an environment with mmsegmentation 1.2.2')


def against_plain(data: Path, folder: Path, repeats: int) -> list[dict]:
    """On one process, and on two."""
    plain = [sys.executable, str(HERE / 'plain.py'), CONFIG, str(data), str(folder / 'a'), *OPTIONS]
    ours = [*SEGPLUG, 'train', CONFIG, '--data-root', str(data), '--work-dir', str(folder / 'b'),
            '--cfg-options', *OPTIONS]
    times = by_turns({'plain': plain, 'ours': ours, 'two': [*ours, '--nproc', '2']}, FIRST, repeats)
    return [row('segplug train to its first iteration: everything imported / ours', times['plain'],
                times['ours'], 'ms', aim=2.0),
            figure('segplug train --nproc 2 to its first iteration', times['two'], 'ms')]


def against_mmseg(python: str, data: Path, folder: Path, repeats: int) -> list[dict]:
    """The same network, data and schedule by both libraries."""
    for scope in ('mmseg', 'segplug'):
        (folder / f'fcn_{scope}.py').write_text(
            f'default_scope = {scope!r}\ndata_root = {str(data)!r}\n'
            + (HERE / 'config.py').read_text())
    times = by_turns({
        'mmseg': [python, str(HERE / 'run_mmseg.py'), str(folder / 'fcn_mmseg.py'), '--work-dir',
                  str(folder / 'c')],
        'ours': [*SEGPLUG, 'train', str(folder / 'fcn_segplug.py'), '--work-dir',
                 str(folder / 'd')]}, FIRST, repeats)
    return [row('FCN-R18 to its first iteration: mmsegmentation / ours', times['mmseg'],
                times['ours'], 'ms', aim=2.0, peer=versions(python))]


def run(args: argparse.Namespace) -> list[dict]:
    repeats = 1 if args.quick else 9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*SEGPLUG, 'make-minicity', str(folder / 'data'), '--train', '4', '--val',
                        '1', '--test', '1'], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        rows = [figure('segplug --help', by_turns({'help': [*SEGPLUG, '--help']}, None,
                                                  repeats)['help'], 'ms', aim=500)]
        rows += against_plain(folder / 'data', folder, repeats)
        if args.mmseg_python:
            rows += against_mmseg(args.mmseg_python, folder / 'data', folder, repeats)
        floors = by_turns({case: [sys.executable, '-W', 'ignore', '-c', code]
                           for case, code in FLOORS.items()}, None, repeats)
    return [*rows, *(figure(case, value, 'ms') for case, value in floors.items())]


if __name__ == '__main__':
    main(__doc__, run, options=options)
