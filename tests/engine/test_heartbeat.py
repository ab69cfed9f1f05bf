"""Who is silent, who is stuck and who said why it ended, with the ranks in one process."""

import json
import threading
import time

import pytest

from segplug.engine.distributed import free_port
from segplug.engine.heartbeat import Beat, Heartbeat, whereabouts
from segplug.engine.joining import BEAT_KEYS, Peer, open_store
from segplug.engine.stopping import request

PEERS = [Peer(0, 'node-a', 10), Peer(1, 'node-b', 11)]


@pytest.fixture
def store():
    store = open_store('127.0.0.1', free_port(), True, 10, env={})
    for key in BEAT_KEYS:
        for peer in PEERS:
            store.set(f'{key}/{peer.rank}', '')
    return store


@pytest.fixture
def ended(monkeypatch):
    """What a heartbeat would have ended the process with."""
    said = []
    monkeypatch.setattr(Heartbeat, '_end', lambda self, text, code, aloud: said.append(
        (text, code)))
    yield said
    request.signum = 0


def beat_of(store, rank: int, **values) -> None:
    store.set(f'beat/{rank}', json.dumps(vars(Beat(**values))))


def test_a_rank_that_says_nothing_more_is_named(store, ended):
    beat = Heartbeat(store, PEERS, 0, timeout=600, silence=0.2)
    beat_of(store, 1, count=5, ticks=1)
    beat._exchange()
    assert ended == []
    time.sleep(0.3)
    beat_of(store, 1, count=6, ticks=1)
    beat._exchange()
    assert ended == []  # it lives
    time.sleep(0.3)
    beat._exchange()
    assert ended[0][1] == 1
    assert ended[0][0].startswith('Rank 1 (process 11 on node-b) died or stands still')


def test_a_rank_that_took_its_leave_is_not_missed(store, ended):
    beat = Heartbeat(store, PEERS, 0, timeout=600, silence=0.1)
    beat._exchange()
    Heartbeat(store, PEERS, 1, timeout=600).end()
    time.sleep(0.2)
    beat._exchange()
    assert ended == []


def test_after_a_sleep_of_the_machine_nobody_is_accused(store, ended):
    beat = Heartbeat(store, PEERS, 0, timeout=600, silence=0.1)
    beat._exchange()
    time.sleep(0.2)
    beat._wake()
    beat._exchange()
    assert ended == []


@pytest.mark.parametrize(('idle', 'ticks', 'blamed'), [
    ((700, 700), (5, 4), 'rank 1'),  # one is behind
    ((700, 700), (4, 4), 'both'),
    ((700, 5), (4, 4), None),  # one gets on
    ((700, 700), (4, 0), None)])  # one has not begun
def test_who_is_stuck(store, idle, ticks, blamed):
    beats = [Beat(count=9, ticks=t, idle=i, place='code.py:3 in f', doing='iteration 4')
             for i, t in zip(idle, ticks, strict=True)]
    text = Heartbeat(store, PEERS, 0, timeout=600)._stuck(beats)
    if blamed is None:
        assert text is None
        return
    assert ('rank 0 (' in text, 'rank 1 (' in text) == (blamed == 'both', True)
    assert 'no rank got on for 700 seconds' in text
    assert 'rank 1 (process 11 on node-b) at code.py:3 in f (iteration 4)' in text


def test_those_who_wait_for_others_are_not_to_blame(store):
    beats = [Beat(ticks=4, idle=700, waits=True), Beat(ticks=4, idle=700, place='data.py:1 in g')]
    text = Heartbeat(store, PEERS, 0, timeout=600)._stuck(beats)
    assert 'To be seen to: rank 1 (process 11 on node-b) at data.py:1 in g' in text
    assert 'rank 0 (' not in text


def test_a_stop_reaches_the_rank_that_got_no_signal(store, ended):
    first, second = (Heartbeat(store, PEERS, rank, timeout=600) for rank in (0, 1))
    request.signum = 15
    first._exchange()
    request.signum = 0  # the other rank, in this process
    second._exchange()
    assert request.signum == 15
    first.say_saved()
    second.wait_saved(5)
    second._exchange()
    assert ended == [('', 143)]  # 128 + 15, should it still wait for the others


def test_a_stop_that_is_saved_before_anybody_was_told_of_it(store, ended):
    """Rank 0 got the signal itself, between two beats."""
    first, second = (Heartbeat(store, PEERS, rank, timeout=600) for rank in (0, 1))
    request.ask(15)
    first.say_saved()
    request.signum = 0  # the other rank, in this process
    second._exchange()
    assert ended == [('', 143)]


def test_what_a_rank_said_when_it_ended_explains_a_broken_connection(store):
    first, second = (Heartbeat(store, PEERS, rank, timeout=600) for rank in (0, 1))
    second.end('DataError: Bad pixel.')
    assert first.explain(patience=5) == ('Rank 1 (process 11 on node-b) ended: '
                                         'DataError: Bad pixel.')


def test_silence_explains_it_too(store):
    first = Heartbeat(store, PEERS, 0, timeout=600)
    assert 'Rank 1 (process 11 on node-b) died' in first.explain(patience=0.3)


def test_the_thread_beats_until_the_end(store):
    beat = Heartbeat(store, PEERS, 1, timeout=600, beat=0.01)
    beat.start()
    beat.tick('iteration 1')
    deadline = time.monotonic() + 30
    while not (said := store.get('beat/1')) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert json.loads(said)['doing'] == 'iteration 1'
    beat.end()
    for thread in beat._threads:
        thread.join(30)
        assert not thread.is_alive()


def test_a_store_that_does_not_answer_ends_the_rank(store, ended, monkeypatch):
    """A cable that is cut closes no connection: the calls of the store wait."""
    silent = threading.Event()
    monkeypatch.setattr(Heartbeat, '_exchange', lambda self: silent.wait(60))
    beat = Heartbeat(store, PEERS, 1, timeout=600, silence=0.2, beat=0.05)
    beat.start()
    deadline = time.monotonic() + 30
    while not ended and time.monotonic() < deadline:
        time.sleep(0.01)
    beat.end()
    silent.set()
    assert ended[0][1] == 1
    assert 'cannot be reached, and with it rank 0 (process 10 on node-a)' in ended[0][0]


def test_where_a_thread_is():
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        done.wait(60)  # in Python's own library, which is not what a person looks for

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(60)
    place, waits = whereabouts(thread.ident)
    done.set()
    thread.join()
    assert place.startswith('test_heartbeat.py:')
    assert place.endswith(' in work')
    assert not waits
