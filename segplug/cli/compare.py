"""Compare two tested models: the difference per class, and whether the images can show it."""

import argparse
import json
import math
from pathlib import Path

EXAMPLE = """example:
  segplug compare work_dirs/unet_r18_minicity/test_ss work_dirs/unet_r18_minicity/test_ms \\
      --num 10 --out comparison.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('a', metavar='A', help='a folder that segplug test --out has written')
    parser.add_argument('b', metavar='B', help='another one, of the same images')
    parser.add_argument('--num', type=int, default=5, metavar='N',
                        help='list the N images that changed most; 5')
    parser.add_argument('--level', type=float, default=0.95, metavar='P',
                        help='coverage of the interval; 0.95')
    parser.add_argument('--draws', type=int, default=2000, metavar='N',
                        help='resamples of the interval and swaps of the test; 2000')
    parser.add_argument('--seed', type=int, default=0, help='of the draws; 0')
    parser.add_argument('--out', metavar='FILE.json', help='write the result there')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.comparing import compare
    from ..errors import ConfigError
    from ..evaluation.outputs import atomic_write
    if args.out and Path(args.out).is_dir():
        raise ConfigError(f'--out {args.out} is a folder.', expected='a file to write')
    result = compare(args.a, args.b, level=args.level, draws=args.draws, seed=args.seed,
                     num=args.num)
    print(result)
    if args.out:
        try:
            atomic_write(Path(args.out), to_json(result))
        except OSError as error:
            raise ConfigError(f'--out {args.out} cannot be written.', got=error,
                              fix='name a file in a folder that you may write to') from error
        print(f'Written to {args.out}')
    return 0


def to_json(result: dict) -> bytes:
    """Unrounded; nan becomes null, which is what JSON has."""
    return (json.dumps(_plain(result), indent=2, ensure_ascii=False, allow_nan=False)
            + '\n').encode()


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and math.isnan(value) else value
