"""What the start-up benchmark measures: a line, an end, by turns; its plain script imports all."""

import sys

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
