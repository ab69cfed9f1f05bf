"""The benchmarks run at tiny size, and what they share does what it says."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).resolve().parents[2] / 'benchmarks'
# By the name of its file: the size at which it runs here, and how many rows it gives.
BENCHMARKS = {'bench_train_step': ('32x32', 4), 'bench_speed_settings': ('64x32', 3),
              'bench_png': ('256x128', 6), 'bench_guard': ('32x32', 3)}
# Not a comparison in time: frames of mini Cityscapes, and scikit-learn, which is optional.
# With a test file of its own: the others.
OTHERS = {'bench_minicity_pixel_baseline', 'bench_checkpoint', 'bench_data', 'bench_doctor',
          'bench_evaluation', 'bench_large_image', 'bench_startup', 'bench_train_step_mmseg'}


def test_every_benchmark_is_tested_and_described():
    found = {path.stem for path in FOLDER.glob('bench_*.py')}
    assert found == {*BENCHMARKS, *OTHERS}
    readme = (FOLDER / 'README.md').read_text()
    assert [name for name in found if f'`{name}.py`' not in readme] == []


@pytest.mark.parametrize('name', BENCHMARKS)
def test_quick_run(name, module, tmp_path, capsys):
    if name == 'bench_png':
        pytest.importorskip('numba', reason='numba, which compiles the decoder, is not installed')
        pytest.importorskip('isal', reason='isal, which inflates, is not installed')
    size, num_rows = BENCHMARKS[name]
    bench, common = module(name), module('common')
    common.main(bench.__doc__, bench.run,
                ['--quick', '--size', size, '--out', str(tmp_path / 'x.json')])
    result = json.loads((tmp_path / 'x.json').read_text())
    assert len(result['rows']) == num_rows
    assert all(r['baseline'] > 0 and r['ours'] > 0 and r['ratio'] > 0 for r in result['rows'])
    assert all(size in r['case'] for r in result['rows'])
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) >= 1 + num_rows
    assert 'ratio' in shown[-1 - num_rows]
    assert (result['quick'], result['threads']) == (True, 1)


def test_a_ratio_above_one_is_better_for_times_and_for_rates(module):
    common = module('common')
    assert common.row('a', 8, 2)['ratio'] == 4  # a quarter of the time
    assert common.row('a', 8, 2, 'MB')['ratio'] == 4  # of the memory
    assert common.row('a', 8, 2, 'images/s')['ratio'] == 0.25  # a quarter of the rate
    assert common.figure('a', 3, 'mIoU')['ratio'] is None


def test_measure_takes_turns_and_the_median_without_the_warm_up(module, monkeypatch):
    common, calls, clock = module('common'), [], [0.0]
    costs = {'a': [9, 1, 2, 6], 'b': [9, 3, 3, 3]}  # seconds; the first is the warm-up

    def function(name):
        calls.append(name)
        clock[0] += costs[name][calls.count(name) - 1]

    monkeypatch.setattr(common.time, 'perf_counter', lambda: clock[0])
    found = common.measure({'a': lambda: function('a'), 'b': lambda: function('b')}, 'cpu',
                           repeats=3, warmup=1)
    assert calls == ['a', 'b'] * 4
    assert found == {'a': 2000, 'b': 3000}  # ms


def test_environment_names_what_decides_a_figure(module):
    found = module('common').environment('cpu')
    assert found['versions']['torch'].startswith(torch.__version__.split('+')[0])
    assert found['cores'] >= 1
    assert found['cpu']
    assert found['gpu'] is None
    json.dumps(found)


def test_table_and_size(module):
    common = module('common')
    assert common.size_of('2048x1024') == (1024, 2048)
    lines = common.table([common.row('x', 8, 2), common.figure('y', 3.5, 'mIoU')]).splitlines()
    assert lines[1].split() == ['x', '8.00', '2.00', 'ms', '4.00x']
    assert lines[2].split() == ['y', '-', '3.50', 'mIoU', '-']


def test_collect_joins_and_fails_when_a_step_failed(module, tmp_path, monkeypatch, capsys):
    collect, common = module('collect'), module('common')
    monkeypatch.setattr(collect, 'ROOT', tmp_path)
    (tmp_path / 'in').mkdir()
    common.write_json(tmp_path / 'in' / 'bench_a.json', dict(rows=[common.row('x', 8, 2)]))
    steps = tmp_path / 'in' / 'steps.txt'
    steps.write_text('gpu_tests 0 3\nbench_a 0 10\nbench_b 77 1\n')
    assert collect.main(str(tmp_path / 'in'), 'cpu') == 0
    steps.write_text('gpu_tests 0 3\nbench_a 0 10\nbench_b 124 99\nbench_c 1 2\n')
    assert collect.main(str(tmp_path / 'in'), 'cpu') == 1
    written = json.loads(next((tmp_path / 'benchmarks' / 'results').glob('*-cpu.json')).read_text())
    assert {k: v['outcome'] for k, v in written['steps'].items()} == {
        'gpu_tests': 'skipped', 'bench_a': 'passed', 'bench_b': 'timed out',
        'bench_c': 'failed (1)'}
    assert written['benchmarks']['bench_a']['rows'][0]['ratio'] == 4
    assert '4.00x' in capsys.readouterr().out


FAKE_PYTHON = """#!/bin/bash
case "$*" in
    '-c '*) echo cpu ;;
    *collect.py*) cat "$2/steps.txt"; exit 3 ;;
    *bench_evaluation.py*) exit 1 ;;
    *) echo "ran $*" ;;
esac
"""


def test_run_accelerator_goes_on_after_a_failure(tmp_path):
    fake = tmp_path / 'python'
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    done = subprocess.run(['bash', str(FOLDER / 'run_accelerator.sh')], cwd=tmp_path, text=True,
                          env={**os.environ, 'PYTHON': str(fake)}, capture_output=True)
    steps = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()
             if line.startswith(('gpu_tests ', 'bench_'))}
    assert steps == {'gpu_tests': '0', **dict.fromkeys({*BENCHMARKS, *OTHERS}, '0'),
                     'bench_evaluation': '1'}
    assert 'bench_train_step.py --device cpu --quick --out ' in done.stdout
    assert done.returncode == 3, done.stderr  # that of collect.py


def test_run_accelerator_without_torch_is_one_sentence(tmp_path):
    fake = tmp_path / 'python'
    fake.write_text('#!/bin/bash\nexit 1\n')
    fake.chmod(0o755)
    done = subprocess.run(['bash', str(FOLDER / 'run_accelerator.sh')], cwd=tmp_path, text=True,
                          env={**os.environ, 'PYTHON': str(fake)}, capture_output=True)
    assert done.returncode == 1
    assert done.stderr == ('run_accelerator.sh needs a python with torch; name it with '
                           'PYTHON=/path/to/python3.\n')
