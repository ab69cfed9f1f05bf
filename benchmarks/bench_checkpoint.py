"""What safe checkpoints cost: writing one, writing it in a thread, and exact resume's seeds.

The checkpoint is that of a real training: linear layers and their momentum, 500 MB. It is written
to the folder of temporary files (TMPDIR): a disk, or the rows say little. Baselines are torch.save
as it is, which leaves the data to the system's memory, and torch.save that waits for the disk.
"""

import os
import tempfile
import time
from itertools import cycle, islice, permutations
from pathlib import Path
from statistics import median

import torch
from common import figure, main, measure, row
from torch import nn

from segplug.engine.background import BackgroundWriter
from segplug.engine.checkpoint import read_checkpoint, save_checkpoint, to_plain
from segplug.engine.loops import seed_iteration
from segplug.engine.sampling import SampleStream

WIDTH, QUICK = 2048, 256
MEGABYTES = 500
BATCH = 16  # rows of input: a step takes a few times as long as copying the weights
IMAGES = 4  # of a batch, for the draws


class Training:
    """A network and its optimizer after one step; ``step`` takes another."""

    def __init__(self, width: int, megabytes: float, device: str) -> None:
        count = max(1, round(megabytes * 1e6 / (8 * width * width)))
        self.model = nn.Sequential(*(nn.Linear(width, width, bias=False) for _ in range(count)),
                                   nn.BatchNorm1d(width)).to(device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9)
        self.data = torch.randn(BATCH, width, device=device)
        self.step()

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(self.data).square().mean().backward()
        self.optimizer.step()

    def checkpoint(self) -> dict:
        return dict(state_dict=self.model.state_dict(), optimizer=self.optimizer.state_dict(),
                    meta=dict(iter=1, epoch=0))


def best_of_turns(functions: dict, path: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Medians of wall and processor time in ms, and the least; the functions take turns, in every
    order.

    The file of the turn before is removed, and the disk left quiet, outside of the time: how long
    that takes depends on whether the other one had waited for the disk.
    """
    times = {name: [] for name in functions}
    for order in islice(cycle(permutations(functions.items())), repeats):
        for name, function in order:
            path.unlink(missing_ok=True)
            os.sync()
            start, work = time.perf_counter(), time.process_time()
            function()
            times[name].append((1000 * (time.perf_counter() - start),
                                1000 * (time.process_time() - work)))
    return {name: dict(wall=median(wall for wall, _ in found), least=min(found)[0],
                       processor=median(work for _, work in found))
            for name, found in times.items()}


def saves(training: Training, folder: Path, repeats: int) -> tuple[list[dict], float]:
    """Rows of writing, and the time of a crash-safe save in ms."""
    path, checkpoint = folder / 'a.pth', training.checkpoint()

    def plain(sync: bool) -> None:
        with open(path, 'wb') as file:
            torch.save(to_plain(checkpoint), file)
            if sync:
                file.flush()
                os.fsync(file.fileno())

    def safe() -> None:
        save_checkpoint(to_plain(checkpoint), path)

    found = best_of_turns({'plain': lambda: plain(False), 'synced': lambda: plain(True),
                           'safe': safe}, path, repeats)
    size = f'{path.stat().st_size / 1e6:.0f} MB'
    reads = measure({'torch': lambda: torch.load(path, weights_only=True),
                     'ours': lambda: read_checkpoint(path)}, 'cpu', repeats)
    own = found['safe']
    return [*(row(f'{size}, {name} / crash-safe save', found[key]['wall'], own['wall'],
                  least_ratio=found[key]['least'] / own['least'],
                  processor_ratio=found[key]['processor'] / own['processor'])
              for key, name in (('plain', 'torch.save'), ('synced', 'torch.save and fsync'))),
            row(f'{size}, torch.load / load with checksums', reads['torch'], reads['ours'])], \
        own['wall']


def stalls(training: Training, folder: Path, save_ms: float, repeats: int, device: str) -> list:
    """What a training waits for a save in a thread: in the call, and before the optimizer."""
    writer, waited, calls = BackgroundWriter(), [], []

    def timed(function) -> float:
        start = time.perf_counter()
        function()
        return 1000 * (time.perf_counter() - start)

    training.optimizer.register_step_pre_hook(lambda *_: waited.append(timed(writer.copied)))
    for _ in range(repeats + 1):  # the first fetches memory for the copy
        waited.clear()
        call = timed(lambda: writer.save(training.checkpoint(), folder / 'b.pth',
                                         changing=training.model.buffers()))
        training.step()
        calls.append((call, waited[0]))
        writer.finish()
    alone = measure({'step': training.step}, device, repeats)['step']
    writer.close()
    call, wait = (median(values) for values in zip(*calls[1:], strict=True))
    return [row('training waits: save / save in a thread', save_ms, call + wait, call_ms=call,
                wait_before_optimizer_ms=wait, step_ms=alone,
                share_of_save=(call + wait) / save_ms)]


class Nothing(torch.utils.data.Dataset):
    """Samples that cost nothing, so that what is left are the draws' seeds."""

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> int:
        return index


def draws(size: tuple[int, int], repeats: int) -> list[dict]:
    """Seeds of an iteration and of its samples, of a training step of a small network."""
    from bench_train_step import R18, batch, stepper
    step = measure({'step': stepper(R18, batch(IMAGES, size), 'cpu')}, 'cpu', repeats)['step']
    plain, keyed = Nothing(), SampleStream(Nothing(), 0)

    def hundred(data) -> None:
        for index in range(100 * IMAGES):
            data[index]
            if data is keyed and index % IMAGES == 0:
                seed_iteration(0, index, 0)

    found = measure(dict(plain=lambda: hundred(plain), keyed=lambda: hundred(keyed)), 'cpu',
                    repeats)
    cost = (found['keyed'] - found['plain']) / 100
    return [figure(f'seeds of a step and its {IMAGES} samples', cost, 'ms', step_ms=step,
                   share_of_step=cost / step)]


def run(args):
    width, megabytes, repeats = (QUICK, 4, 3) if args.quick else (WIDTH, MEGABYTES, 6)
    training = Training(width, megabytes, args.device)
    with tempfile.TemporaryDirectory() as folder:
        rows, save_ms = saves(training, Path(folder), repeats)
        rows += stalls(training, Path(folder), save_ms, repeats, args.device)
    return rows + draws(args.size or ((96, 96) if args.quick else (512, 512)), 3)


def report(rows: list[dict]) -> str:
    """The aims and what was reached."""
    by_case = {r['case'].partition(', ')[2] or r['case']: r for r in rows}
    safe = [by_case[f'torch.save{extra} / crash-safe save'] for extra in ('', ' and fsync')]
    wait = by_case['training waits: save / save in a thread']['share_of_save']
    seeds = rows[-1]['share_of_step']
    return '\n'.join([
        *(f'crash-safe save / {name}: {1 / found["ratio"]:.2f} (aim: 1.3), of the quickest '
          f'{1 / found["least_ratio"]:.2f}, of processor time {1 / found["processor_ratio"]:.2f}'
          for name, found in zip(('torch.save', 'torch.save with fsync'), safe, strict=True)),
        f'save in a thread: the training waits for {wait:.1%} of the save (aim: under 5 %)',
        f'exact resume: {seeds:.3%} of a step (aim: under 1 %)'])


if __name__ == '__main__':
    main(__doc__, run, report=report)
