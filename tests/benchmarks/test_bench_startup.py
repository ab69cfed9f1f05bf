"""What the start-up benchmark measures: a line, an end, by turns; and what its peer is."""

import sys
from importlib import metadata

import pytest


def test_until_a_line_or_the_end(module):
    bench = module('bench_startup')
    code = 'import time; print("a", flush=True); time.sleep(0.5); print("b")'
    assert bench.until([sys.executable, '-c', code], 'a') > 0
    assert bench.until([sys.executable, '-c', code], 'b') >= 0.5  # it sleeps as long
    with pytest.raises(SystemExit, match='ended with 3'):
        bench.until([sys.executable, '-c', 'raise SystemExit(3)'], None)
    times = bench.by_turns({'a': [sys.executable, '-c', ''], 'b': [sys.executable, '-c', '']},
                           None, 1)
    assert set(times) == {'a', 'b'}


def test_the_versions_of_another_interpreter(module):
    found = module('bench_startup').versions(sys.executable)
    assert found['torch'] == metadata.version('torch')
    assert 'mmengine' in found
    assert 'pytest' not in found
