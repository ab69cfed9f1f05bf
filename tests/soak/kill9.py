"""Kill training runs with SIGKILL, resume them, and compare the ends to the last bit.

Half of the kills come at moments spread evenly over a run, half inside the writing of a
checkpoint: halfway through a write, or right before or after a sync, a rename or a removal, which
a run counts and at the chosen one kills itself. The runs are `resume_toy`'s with everything on:
dropout, drop path, augmentation, EMA, loss scaling, gradient accumulation and a best score, by
iteration and by epoch, without and with workers, written at once and in the background.

    python tests/soak/kill9.py --spread 50 --aimed 50 --log kill9.txt

Every run is a process of its own, forked from one that has imported everything and warmed up,
which saves seconds. Moments are counted in the process's own time, so that they stay spread over
the run on a machine that does other work. Linux only.
"""

import argparse
import builtins
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'engine'))

from mmengine.evaluator import BaseMetric  # noqa: E402
from resume_toy import Case, case_cfg, digest, digests, train, witness  # noqa: E402

from segplug.engine.checkpoint import load_checkpoint  # noqa: E402
from segplug.engine.checkpoint_files import latest_checkpoint  # noqa: E402
from segplug.registry import METRICS  # noqa: E402

NUM_EPOCHS = 12  # of three batches; checkpoints every two iterations, validations every four
SYSTEM_CALLS = ('fsync', 'replace', 'rename', 'remove', 'unlink')
LIMIT = 120  # seconds for one run, on a machine that does other work


@METRICS.register_module()
class Mean(BaseMetric):
    """The mean prediction, which the best checkpoint is chosen by."""

    def process(self, data_batch, data_samples) -> None:
        self.results += [float(x) for x in data_samples]

    def compute_metrics(self, results: list) -> dict:
        return dict(mean=sum(results) / len(results))


@dataclass(frozen=True)
class Setting:
    """What a run is like, besides `resume_toy`'s features, which are all on."""

    keep: int
    by_epoch: bool
    workers: int
    background: bool

    def __str__(self) -> str:
        return (f'keep {self.keep:2} {"by epoch" if self.by_epoch else "by iter "} '
                f'{self.workers} workers{" background" if self.background else ""}')


def config_of(setting: Setting, folder: Path):
    """A run that goes on from what ``folder`` holds, if it holds anything."""
    case = Case(by_epoch=setting.by_epoch, workers=setting.workers, dropout=True, drop_path=True,
                augment=True, ema=True, scaler=True, accumulate=True)
    cfg = case_cfg(case, folder, resume='auto')
    cfg.default_hooks.checkpoint.update(
        interval=2, max_keep_ckpts=setting.keep, save_best='mean', rule='greater',
        background=setting.background)
    cfg.train_cfg.update(dict(max_epochs=NUM_EPOCHS, val_interval=2) if setting.by_epoch else
                         dict(max_iters=3 * NUM_EPOCHS, val_interval=4))
    cfg.val_dataloader = dict(batch_size=4, num_workers=0, sampler=dict(
        type='DefaultSampler', shuffle=False), dataset=dict(type='DrawnData', augment=False))
    cfg.val_cfg, cfg.val_evaluator = dict(), dict(type='Mean')
    return cfg


# --- inside the process that is killed -----------------------------------------------------


class Aim:
    """Counts what happens to files named ``*.pth*`` or ``*last_checkpoint*``; kills at ``target``.

    Attributes:
        events: What was counted, as 'write', 'before fsync', 'after replace' ...
    """

    def __init__(self, target: int | None = None) -> None:
        self.events: list[str] = []
        self.target = target

    def reach(self, kind: str) -> bool:
        """Count an event; whether it is the one to die at."""
        self.events.append(kind)
        return len(self.events) - 1 == self.target

    def install(self) -> None:
        """Replace ``open`` and the system calls in this process."""
        self._open = builtins.open
        builtins.open = self._opened
        for name in SYSTEM_CALLS:
            setattr(os, name, self._around(name, getattr(os, name)))

    def _opened(self, file, mode='r', *args, **kwargs):
        opened = self._open(file, mode, *args, **kwargs)
        ours = 'w' in mode and any(part in str(file) for part in ('.pth', 'last_checkpoint'))
        return _Watched(opened, self) if ours else opened

    def _around(self, name: str, call: Callable) -> Callable:
        def around(first, *args, **kwargs):
            ours = isinstance(first, int) or any(
                part in str(first) for part in ('.pth', 'last_checkpoint'))
            if ours and self.reach(f'before {name}'):
                die()
            result = call(first, *args, **kwargs)
            if ours and self.reach(f'after {name}'):
                die()
            return result
        return around


class _Watched:
    """An open file whose writes are counted; the one to die at is written by half."""

    def __init__(self, file, aim: Aim) -> None:
        self._file, self._aim = file, aim

    def write(self, data):
        if self._aim.reach('write'):
            self._file.write(data[:len(data) // 2])
            self._file.flush()
            die()
        return self._file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        self._file.close()

    def __getattr__(self, name: str):
        return getattr(self._file, name)


def die() -> None:
    """As if from outside: nothing of this process runs after it."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(LIMIT)


def child(setting: Setting, folder: Path, notes: Path, target: int | None) -> None:
    """Train, and note what was done; what is printed goes beside the notes."""
    output = os.open(notes.with_suffix('.out'), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    aim = Aim(target)
    aim.install()
    runner = train(config_of(setting, folder))
    seen = witness(runner)
    notes.write_text(json.dumps(dict(
        used=time.process_time(), began=seen.began[1],
        iterations=[one for one, _ in seen.iterations], events=aim.events)))


# --- outside -------------------------------------------------------------------------------


def run(setting: Setting, folder: Path, notes: Path, target: int | None = None,
        kill_after: float | None = None) -> dict | None:
    """One run in a process of its own: what it noted, or None if it was killed.

    Raises:
        RuntimeError: It ended in another way, or not at all.
    """
    notes.unlink(missing_ok=True)
    begin = time.monotonic()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            child(setting, folder, notes, target)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    status = None
    while status is None:
        if (time.monotonic() - begin > LIMIT
                or kill_after is not None and used_time(pid) >= kill_after):
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            break
        time.sleep(0.001)
        ended, ended_status = os.waitpid(pid, os.WNOHANG)
        status = ended_status if ended else None
    if os.WIFSIGNALED(status) and (target is not None or kill_after is not None):
        return None
    if status:
        raise RuntimeError(f'status {status}: {notes.with_suffix(".out").read_text()[-1500:]}')
    return dict(json.loads(notes.read_text()), seconds=time.monotonic() - begin)


def used_time(pid: int) -> float:
    """Seconds of processor time that a process has used, by Linux's clock of that process."""
    return time.clock_gettime((~pid << 3) | 2)


def end_of(folder: Path) -> dict:
    """Digests of the last checkpoint and the best one, its score, and every file of weights."""
    last = latest_checkpoint(folder)
    infos = load_checkpoint(last)['message_hub']['runtime_info']
    [best] = folder.glob('best_*.pth')
    return dict(digests(last), score=infos['best_score'],
                best_weights=digest(load_checkpoint(best)['state_dict']),
                files=sorted(p.name for p in folder.iterdir() if '.pth' in p.name
                             or 'last_checkpoint' in p.name))


def newest_iteration(folder: Path) -> int:
    """Where the newest checkpoint of a killed run stands; 0 without one."""
    path = latest_checkpoint(folder)
    return load_checkpoint(path)['meta']['iter'] if path else 0


def spread_out(events: list[str], count: int, phase: float) -> list[int]:
    """``count`` places in ``events``: of each kind as many, of writes four times as many.

    Args:
        phase: In [0, 1): where between two neighbours each kind's places lie, so that those of
            several calls fall in different places.
    """
    places = {kind: [i for i, one in enumerate(events) if one == kind]
              for kind in sorted(set(events))}
    weights = {kind: 4 if kind == 'write' else 1 for kind in places}
    shares = Counter()
    while sum(shares.values()) < min(count, len(events)):
        kind = min((k for k in places if shares[k] < len(places[k])),
                   key=lambda k: (shares[k] + 1) / weights[k])
        shares[kind] += 1
    return sorted(places[kind][int((i + phase) * len(places[kind]) / share)]
                  for kind, share in shares.items() for i in range(share))


class Soak:
    """All kills with one number of checkpoints kept."""

    def __init__(self, keep: int, folder: Path, say: Callable[[str], None]) -> None:
        self.keep, self.folder, self.say = keep, folder, say
        self.good = self.failed = 0
        self.whole = {}

    def setting(self, number: int) -> Setting:
        """By turns by iteration and by epoch; every fourth in the background, or with workers."""
        return Setting(self.keep, bool(number % 2), 2 if number % 8 in (4, 5) else 0,
                       number % 4 in (2, 3))

    def reference(self, setting: Setting) -> dict:
        """The uninterrupted run of ``setting``: its end, its seconds and its events."""
        if setting not in self.whole:
            folder = self.folder / f'whole {len(self.whole)}'
            notes = run(setting, folder, self.folder / 'notes.json')
            self.whole[setting] = dict(notes, end=end_of(folder))
            self.say(f'whole   {setting}: {len(notes["iterations"])} iterations, '
                     f'{len(notes["events"])} events, {notes["used"]:.2f} s of processor time')
        return self.whole[setting]

    def spread(self, count: int) -> None:
        """Kill at the middle of each of ``count`` equal parts of a run's time."""
        for number in range(count):
            setting = self.setting(number)
            part = (number + 0.5) / count
            self.one(f'after {100 * part:.0f} % of a run', setting,
                     kill_after=self.reference(setting)['used'] * part)

    def aimed(self, count: int) -> None:
        """Kill at ``count`` events in the writing of checkpoints."""
        settings = [self.setting(number) for number in range(count)]
        for turn, setting in enumerate(dict.fromkeys(settings)):
            events = self.reference(setting)['events']
            phase = (turn + 0.5) * 0.618 % 1  # multiples of the golden ratio lie evenly
            for place in spread_out(events, settings.count(setting), phase):
                self.one(f'at event {place}, {events[place]}', setting, target=place)

    def one(self, name: str, setting: Setting, target: int | None = None,
            kill_after: float | None = None) -> None:
        """Kill one run, resume it, compare."""
        whole, folder = self.reference(setting), self.folder / 'killed'
        notes = self.folder / 'notes.json'
        for _ in range(20):
            shutil.rmtree(folder, ignore_errors=True)
            if run(setting, folder, notes, target, kill_after) is None:
                break
            if kill_after is None:
                raise RuntimeError(f'{name}: the run did not come to its event {target}')
            kill_after *= 0.95  # this run was a little shorter
        half = len(list(folder.glob('.*.part')))
        start = newest_iteration(folder)
        try:
            faults = self.compare(whole, run(setting, folder, notes), start, folder)
        except Exception as error:
            faults = [f'{type(error).__name__}: {error}']
        self.good, self.failed = self.good + (not faults), self.failed + bool(faults)
        rest = ', with a file half-written' if half else ''
        self.say(f'{"same" if not faults else "FAILED":6}  {setting}, killed {name}{rest}: resumed '
                 f'from {start}. {"; ".join(faults)}'.rstrip())

    @staticmethod
    def compare(whole: dict, resumed: dict, start: int, folder: Path) -> list[str]:
        """What differs: where it began, what it trained, and each part of the end."""
        faults = []
        if resumed['began'] != start:
            faults.append(f'began at {resumed["began"]}')
        if resumed['iterations'] != whole['iterations'][start:]:
            faults.append(f'trained {resumed["iterations"]}')
        end = end_of(folder)
        return faults + [f'{key}: {end.get(key)} for {value}'
                         for key, value in whole['end'].items() if end.get(key) != value]


def main() -> int:
    """Every kill; 0 if all runs resumed and ended in the same bits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--spread', type=int, default=50, help='kills spread over a run')
    parser.add_argument('--aimed', type=int, default=50, help='kills inside a checkpoint write')
    parser.add_argument('--keep', type=int, nargs='+', default=[1, -1],
                        help='max_keep_ckpts; all kills with each')
    parser.add_argument('--log', help='file that gets a line for each kill')
    args = parser.parse_args()
    lines = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    begin, good, failed = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        train(config_of(Setting(1, False, 0, False), Path(folder)))
    for keep in args.keep:
        with tempfile.TemporaryDirectory() as folder:
            soak = Soak(keep, Path(folder), say)
            soak.spread(args.spread)
            soak.aimed(args.aimed)
            good, failed = good + soak.good, failed + soak.failed
    say(f'{good} of {good + failed} resumed and ended in the same bits '
        f'({time.monotonic() - begin:.0f} s).')
    if args.log:
        Path(args.log).write_text('\n'.join(lines) + '\n')
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main())
