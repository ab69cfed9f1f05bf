"""Join the results of one run of run_accelerator.sh: one table, one JSON file.

    python benchmarks/collect.py FOLDER DEVICE

FOLDER holds NAME.json from each benchmark that ended well, and ``steps.txt``: a line
"name exit-code seconds" for each step. The exit code is 1 when a step failed.
"""

import json
import sys
from pathlib import Path

from common import ROOT, SKIPPED, environment, table, write_json

# 124 and 137 are what `timeout`, and what it had to kill, exit with.
OUTCOMES = {0: 'passed', SKIPPED: 'skipped', 124: 'timed out', 137: 'timed out'}


def read_steps(folder: Path, device: str) -> dict[str, dict]:
    """By name: the outcome ('passed', 'skipped', 'failed' or 'timed out') and its seconds."""
    steps = {}
    for line in (folder / 'steps.txt').read_text().splitlines():
        name, code, seconds = line.split()
        steps[name] = dict(outcome=OUTCOMES.get(int(code), f'failed ({code})'),
                           seconds=int(seconds))
    if device == 'cpu' and steps['gpu_tests']['outcome'] == 'passed':
        steps['gpu_tests']['outcome'] = 'skipped'  # pytest calls a run of skipped tests passed
    return steps


def read_results(folder: Path) -> dict[str, dict]:
    """What each benchmark wrote, by its name, without the environment, which all share."""
    results = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob('*.json'))}
    return {name: {k: v for k, v in result.items() if k != 'environment'}
            for name, result in results.items()}


def report(steps: dict[str, dict], benchmarks: dict[str, dict]) -> str:
    """What came of each step, then one table of all comparisons."""
    lines = [f'{name:<36} {step["outcome"]:<12} {step["seconds"]:>4} s'
             for name, step in steps.items()]
    return '\n'.join([*lines, '', table([r for b in benchmarks.values() for r in b['rows']])])


def main(folder: str, device: str) -> int:
    """Write benchmarks/results/DATE-DEVICE.json and print the table; returns the exit code."""
    steps, benchmarks = read_steps(Path(folder), device), read_results(Path(folder))
    where = environment(device)
    name = (where['gpu'] or 'cpu').lower().replace(' ', '-')
    target = ROOT / 'benchmarks' / 'results' / f'{where["time"][:10]}-{name}.json'
    write_json(target, dict(environment=where, steps=steps, benchmarks=benchmarks))
    print(report(steps, benchmarks))
    print(f'\nWritten to {target.relative_to(ROOT)}')
    return int(any(step['outcome'] not in ('passed', 'skipped') for step in steps.values()))


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
