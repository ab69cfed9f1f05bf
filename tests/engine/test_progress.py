"""How far a test is: the numbers, the line, and the sum over processes that do not wait."""

import io
import logging

import pytest
import torch.distributed as dist

from segplug.engine import progress
from segplug.engine.progress import (
    Progress,
    SharedCount,
    Standing,
    Terminal,
    clock_time,
    progress_line,
)


class Clock:
    """Seconds that pass only when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log():
    """A logger, and the list of what it was told."""
    logger, lines = logging.Logger('progress'), []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    logger.lines = lines
    return logger


@pytest.fixture
def as_rank(monkeypatch):
    """``as_rank(r, n)``: be rank r of n, with one store for all."""
    store = dist.HashStore()

    def _as_rank(rank, world):
        monkeypatch.setattr(progress, 'get_dist_info', lambda: (rank, world))
        monkeypatch.setattr(progress, '_job_store', lambda: store)
        monkeypatch.setattr(progress, '_serial', iter([7]))
    return _as_rank


def test_rate_and_time_left():
    now = Standing(images=30, total=90, share=0.4, seconds=20)
    assert now.rate == 1.5
    assert now.eta == pytest.approx(30)  # 20 s for 40 %, so 50 s in all
    assert Standing(0, 9, 0.0, 3).eta == float('inf')


def test_the_line():
    now = Standing(images=132, total=500, share=0.25, seconds=16.5)
    assert progress_line('test', now, 2) == (
        'test  132/500 images  25 %  8.00 images/s  eta: 0:00:49  2 processes')
    assert progress_line('val', now, 1, bar=8) == (
        'val [##......]  132/500 images  25 %  8.00 images/s  eta: 0:00:49')
    assert progress_line('val', Standing(0, 50, 0.0, 1.0), 1) == (
        'val   0/50 images   0 %  0.00 images/s  eta: ?')
    assert progress_line('predict', Standing(1, 1, 1.0, 1.0), 1, noun='row') == (
        'predict  1/1 row  100 %  1.00 rows/s  eta: 0:00:00')
    assert clock_time(3 * 86400 + 83.4) == '3 days, 0:01:23'


def test_a_log_gets_a_line_after_a_silence_and_one_at_the_end(log, clock):
    with Progress('test', 100, log, clock=clock) as shown:
        for done in range(1, 101):
            clock.now += 1
            shown.reach(done)
            if done == 70:
                assert shown.for_log().images == 70  # another's line; the next of ours is at 100
    assert log.lines == [
        'test   30/100 images  30 %  1.00 images/s  eta: 0:01:10',
        'test   60/100 images  60 %  1.00 images/s  eta: 0:00:40',
        'test  100/100 images  100 %  1.00 images/s  eta: 0:00:00',
        'test: 100 images in 0:01:40, 1.00 images/s']


def test_a_short_test_says_one_thing(log, clock):
    with Progress('val', 3, log, clock=clock) as shown:
        clock.now += 2
        shown.reach(3)
        shown.finish_share()
    assert log.lines == ['val: 3 images in 0:00:02, 1.50 images/s']
    with Progress('predict', 1, log, noun='row', clock=clock) as shown:
        clock.now += 2
        shown.reach(1)
    assert log.lines[1] == 'predict: 1 row in 0:00:02, 0.50 rows/s'


def test_an_error_is_not_followed_by_a_summary(log, clock):
    with pytest.raises(ValueError, match='mine'), Progress('val', 3, log, clock=clock):
        raise ValueError('mine')
    assert log.lines == []


def test_a_terminal_shows_one_line_that_log_lines_push_down(log, clock, monkeypatch):
    monkeypatch.setenv('COLUMNS', '100')
    stream = io.StringIO()
    with Progress('test', 4, log, terminal=Terminal(stream), clock=clock) as shown:
        clock.now += 1
        shown.reach(1)
        clock.now += 0.1
        shown.reach(2)  # too soon to be shown
        log.info('mine')
        clock.now += 0.9
        shown.reach(3)
    clear, written = '\r\x1b[K', stream.getvalue()
    assert written == (
        f'{clear}test [##........]  1/4 images  25 %  1.00 images/s  eta: 0:00:03{clear}'
        f'{clear}test [#######...]  3/4 images  75 %  1.50 images/s  eta: 0:00:00{clear}')
    assert log.lines == ['mine', 'test: 3 images in 0:00:02, 1.50 images/s']
    assert log.filters == []
    after = len(written)
    log.info('later')
    assert len(stream.getvalue()) == after


def test_a_line_is_cut_at_the_width_of_the_terminal(monkeypatch):
    monkeypatch.setenv('COLUMNS', '11')
    stream = io.StringIO()
    Terminal(stream).show('0123456789abc')
    assert stream.getvalue() == '\r\x1b[K0123456789'


def test_time_left_goes_by_cost_where_sizes_are_known(log, clock):
    costs = [10, 60, 30]
    with Progress('test', 3, log, share=[1, 2, 0], costs=costs, clock=clock) as shown:
        clock.now += 6
        shown.reach(1)
        assert (shown.now.images, shown.now.share) == (1, 0.6)
        assert shown.now.eta == pytest.approx(4)
        clock.now += 3
        shown.reach(2)
        assert shown.now.share == 0.9


def test_the_first_process_shows_the_sum_of_all(log, clock, as_rank):
    costs = [30, 50, 20]
    as_rank(1, 2)
    other = Progress('test', 3, log, [0, 2], costs, clock=clock)
    as_rank(0, 2)
    first = Progress('test', 3, log, [1], costs, clock=clock)
    with first, other:
        clock.now += 1
        other.reach(1)
        first.reach(1)
        assert (first.now.images, first.now.share) == (2, 0.8)
        clock.now += 1
        other.reach(2)
        other.finish_share()
        first.finish_share()
    assert log.lines == ['test: 3 images in 0:00:02, 1.50 images/s on 2 processes']


def test_looks_at_others_at_most_twice_a_second(log, clock, monkeypatch):
    with Progress('test', 1000, log, clock=clock) as shown:
        looks, add = [], shown._count.add
        monkeypatch.setattr(shown._count, 'add', lambda *a: looks.append(a) or add(*a))
        for done in range(1, 1001):
            clock.now += 0.01
            shown.reach(done)
    assert len(looks) <= 21  # 10 seconds, and the last
    assert sum(images for images, _ in looks) == 1000


def test_a_lost_store_leaves_the_own_count(as_rank, monkeypatch):
    as_rank(0, 2)
    count = SharedCount()
    assert count.add(2, 20) == (2, 20)

    def lost(*_):
        raise RuntimeError('Connection reset by peer')

    monkeypatch.setattr(count, '_store', type('Gone', (), dict(add=lost))())
    assert count.add(1, 10) == (3, 30)
    assert count.add(1, 10) == (4, 40)


def test_each_test_counts_from_zero(monkeypatch):
    store = dist.HashStore()
    monkeypatch.setattr(progress, '_job_store', lambda: store)
    assert SharedCount().add(5, 5) == (5, 5)
    assert SharedCount().add(1, 1) == (1, 1)


def test_no_store_without_a_job():
    assert progress._job_store() is None
