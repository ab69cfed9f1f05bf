"""Random damage to what people hand in: each input ends in one of our named errors or in success.

    python tests/fuzz/fuzz.py --count 500 --seed 0

A hang, an error of another kind and a file left half written are faults, printed with the number
that makes them again: ``--seed S --only N``.
"""

import argparse
import collections
import contextlib
import gc
import logging
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What pytest has by setup.cfg, where this is run as a script.
sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ('fuzz', 'contract', 'engine')]

from targets import TARGETS  # noqa: E402

from segplug.errors import SegplugError  # noqa: E402

SECONDS = 30
MEMORY = 12 << 30


class Hang(BaseException):
    """No end within SECONDS; no handler of errors catches it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one input.

    Attributes:
        number: Which input of the seed.
        target: What was damaged.
        error: The kind of error that was raised; '' for success.
        fault: Why this is no good end; '' where it is one.
    """

    number: int
    target: str
    error: str
    fault: str
    trace: str = ''


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise `Hang` inside after ``seconds``."""
    def stop(number, frame):
        raise Hang(f'no end after {seconds} s')

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run(seed: int, numbers, work: Path, names=None, seconds: int = SECONDS) -> Iterator[Outcome]:
    """Damage one input after the other; input ``n`` of a seed is always the same.

    Args:
        seed: Of every draw.
        numbers: Which inputs.
        work: An empty folder.
        names: Which targets; by default all, in turn.
        seconds: After which an input counts as hanging.
    """
    names = list(names or TARGETS)
    sound: dict[str, Path] = {}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for number in numbers:
            yield _one(seed, number, names, work, sound, seconds)
        # mmengine leaves files of configs open that do not parse; they go here, unsaid.
        gc.collect()


def _one(seed: int, number: int, names: list[str], work: Path, sound: dict[str, Path],
         seconds: int) -> Outcome:
    name = names[number % len(names)]
    target = TARGETS[name]
    if name not in sound:
        sound[name] = work / 'sound' / name
        sound[name].mkdir(parents=True)
        target.make(sound[name])
    place = work / 'case'
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(sound[name], place)
    target.damage(place, random.Random(f'{seed} {number}'))
    return _outcome(number, name, target, place, seconds)


def _outcome(number: int, name: str, target, place: Path, seconds: int) -> Outcome:
    kind = trace = ''
    try:
        with at_most(seconds):
            target.use(place)
    except (Exception, SystemExit, Hang) as error:
        # Text only: an error would keep all that its frames hold.
        kind, trace = type(error).__name__, traceback.format_exc()
        if not isinstance(error, SegplugError):
            return Outcome(number, name, kind, f'{kind}: {error}', trace)
    left = target.left(place, kind)
    return Outcome(number, name, kind, f'left behind: {left}' if left else '', trace)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=500, help='how many inputs')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--only', type=int, help='this input alone, with its whole traceback')
    parser.add_argument('--target', choices=sorted(TARGETS), help='this kind of input alone')
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable(logging.CRITICAL)
    numbers = range(args.count) if args.only is None else [args.only]
    ends, faults = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as work:
        for end in run(args.seed, numbers, Path(work), [args.target] if args.target else None):
            ends[end.target, end.error or 'success'] += 1
            if end.fault:
                faults += 1
                print(f'--seed {args.seed} --only {end.number} ({end.target}): {end.fault[:500]}')
            if args.only is not None:
                print(end.trace)
    for (target, kind), count in sorted(ends.items()):
        print(f'{target:12} {kind:16} {count}')
    print(f'{faults} faults in {sum(ends.values())} inputs')
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main())
