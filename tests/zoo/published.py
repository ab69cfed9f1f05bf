"""Every published convolutional config of mmsegmentation 1.2.2: does it load, train and test here?

    python tests/zoo/published.py --configs mmsegmentation/configs --page

takes each as it is, or as `segplug migrate` makes it, through its data set (on a made-up tree), its
pipelines, one train step and one test step at tiny size, and prints a table by family; ``--page``
puts it into docs/reference/zoo.md. It takes minutes, on one core. ``--all`` takes every config of
the folder, also one of mmsegmentation 0.x.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import torch
from observe import read
from one_step import Steps

from segplug.apis.config import load_config
from segplug.apis.migrating import migrate


@dataclass
class Family:
    """How the configs of one folder fare."""

    as_is: int = 0
    migrated: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, config: str, what: str, why: str | None) -> None:
        """Count a config."""
        if what == 'failed':
            self.failed[config] = why
        elif what == 'migrated':
            self.migrated += 1
        else:
            self.as_is += 1

    @property
    def total(self) -> int:
        return self.as_is + self.migrated + len(self.failed)


def names(root: Path, every: bool) -> list[str]:
    """The configs: those of the convolutional methods, or all of a folder."""
    if not every:
        return sorted(config for entry in read('models') for config in entry['configs'])
    return sorted(path.relative_to(root).as_posix() for path in root.rglob('*.py')
                  if '_base_' not in path.parts)


def fares(config: Path, steps: Steps, folder: Path) -> tuple[str, str | None]:
    """('as is', 'migrated' or 'failed', why it fails) of one config."""
    migration = migrate(config)
    if migration.findings:
        return 'failed', '; '.join(dict.fromkeys(each.what for each in migration.findings))
    if migration.is_needed:
        config = migration.write_to(tempfile.mkdtemp(dir=folder))[0]
    why = steps.run(load_config(config))
    if why is not None:
        return 'failed', why
    return 'migrated' if migration.is_needed else 'as is', None


def run(root: Path, configs: list[str], results: Path | None) -> dict[str, Family]:
    """How each family fares.

    Args:
        results: A file that takes what happened, a line a config. What it says already is not
            run again, unless it failed.
    """
    found = read_results(results)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        steps = Steps(Path(folder) / 'data')
        for number, config in enumerate(configs, 1):
            if found.get(config, ['failed'])[0] == 'failed':
                found[config] = what, why = fares(root / config, steps, Path(folder))
                if results:
                    with results.open('a') as file:
                        file.write(json.dumps([config, what, why]) + '\n')
                print(f'{number}/{len(configs)} {time.perf_counter() - start:.0f}s {config}: '
                      f'{what}{f" ({why})" if why else ""}', file=sys.stderr, flush=True)
    families = defaultdict(Family)
    for config in configs:
        families[config.split('/')[0]].add(config, *found[config])
    return dict(families)


def read_results(results: Path | None) -> dict[str, tuple[str, str | None]]:
    """Config -> what a run before wrote of it last."""
    if results is None or not results.is_file():
        return {}
    lines = map(json.loads, results.read_text().splitlines())
    return {config: (what, why) for config, what, why in lines}


def table(families: dict[str, Family]) -> str:
    """A row a family, as Markdown, and the reasons of what failed."""
    rows = [(name, each.total, each.as_is, each.migrated, len(each.failed))
            for name, each in sorted(families.items())]
    rows.append(('all', *map(sum, list(zip(*rows, strict=True))[1:])))
    lines = ['| family | configs | run as they are | run migrated | do not run |',
             '|---|---:|---:|---:|---:|',
             *(f'| {" | ".join(map(str, row))} |' for row in rows)]
    reasons = Counter(why for each in families.values() for why in each.failed.values())
    if reasons:
        lines += ['', *(f'- {count} do not: {why}' for why, count in reasons.most_common())]
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--configs', type=Path, default=os.environ.get('SEGPLUG_MMSEG_CONFIGS'),
                        help='their folder; SEGPLUG_MMSEG_CONFIGS by default')
    parser.add_argument('--only', nargs='+', metavar='WORD',
                        help='configs with each of these in their path')
    parser.add_argument('--all', action='store_true', help='every config of the folder')
    parser.add_argument('--every', type=int, default=1, metavar='N', help='each Nth config')
    parser.add_argument('--results', type=Path, metavar='FILE',
                        help='takes a line for each config; a run that was stopped goes on there')
    parser.add_argument('--page', action='store_true', help='put the table into the page')
    args = parser.parse_args()
    if args.configs is None:
        parser.error("give --configs, the folder of mmsegmentation's configs")
    warnings.filterwarnings('ignore')
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    configs = [name for name in names(Path(args.configs), args.all)
               if all(word in name for word in args.only or ())]
    found = table(run(Path(args.configs), configs[::args.every], args.results))
    print(found)
    if args.page:
        from page import PAGE, put
        PAGE.write_text(put(PAGE.read_text(), 'published', found))


if __name__ == '__main__':
    main()
