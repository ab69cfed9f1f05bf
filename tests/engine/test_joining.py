"""Ranks that meet, in threads of this process: who is missing, whose port is taken, who differs."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from segplug.engine.distributed import free_port
from segplug.engine.joining import Peer, check_alike, first_difference, open_store, roll_call
from segplug.errors import ConfigError

PEER = Peer(2, 'node-b', 77)


def meet(present: list[int], world_size: int, identities: list[dict], timeout: float = 30) -> list:
    """What each rank that is present gets back, or the sentence that it raises."""
    port = free_port()

    def rank(number: int):
        try:
            store = open_store('127.0.0.1', port, number == 0, timeout)
            peers = roll_call(store, number, world_size, timeout)
            check_alike(store, peers, number, identities[number], timeout)
            return [peer.rank for peer in peers], store
        except ConfigError as error:
            return str(error), store

    with ThreadPoolExecutor(len(present)) as pool:
        return [said for said, _ in list(pool.map(rank, present))]


def test_all_come_and_are_alike():
    assert meet([2, 0, 1], 3, [dict(config=dict(lr=1))] * 3) == [[0, 1, 2]] * 3


def test_those_who_did_not_come_are_numbered_on_every_rank():
    said = meet([0, 2], 4, [{}] * 4, timeout=1)
    assert said[0] == said[1]
    assert said[0].startswith('2 of 4 processes did not come within 1 seconds: ranks 1, 3. ')
    assert 'dist_cfg.timeout' in said[0]


def test_all_say_who_was_given_something_else():
    same, other = dict(config=dict(optimizer=dict(lr=0.1))), dict(config=dict(optimizer=dict(lr=1)))
    said = meet([0, 1, 2], 3, [same, other, same])
    assert said[0] == said[1] == said[2]
    assert 'Rank 1 (process ' in said[0]
    assert ('was given another config than rank 0: config.optimizer.lr is 1 there and 0.1 on '
            'rank 0.') in said[0]


@pytest.mark.parametrize(('first', 'second', 'said'), [
    (dict(plugins={'a': 'pkg 1'}), dict(plugins={}),
     "another plugins than rank 0: plugins.a is not set there and 'pkg 1' on rank 0"),
    (dict(plugins={}), dict(plugins={'b': 'pkg 2'}),
     "plugins.b is 'pkg 2' there and not set on rank 0"),
    (dict(config=dict(heads=[1, 2])), dict(config=dict(heads=[1])),
     'config.heads is [1] there and [1, 2] on rank 0')])
def test_what_differs_is_shown_from_both_sides(first, second, said):
    assert said in first_difference(first, second, PEER)


def test_machines_may_have_folders_of_their_own():
    first = dict(config=dict(work_dir='/a', load=dict(dataset=dict(data_root='/disk1'))))
    second = dict(config=dict(work_dir='/b', load=dict(dataset=dict(data_root='/disk2'))))
    assert first_difference(first, second, PEER) is None


def test_a_port_in_use_is_named():
    with socket.socket() as other:
        other.bind(('0.0.0.0', 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f'Port {port} of .* is in use'):
            open_store('127.0.0.1', port, True, 5)


def test_a_machine_that_does_not_answer_is_named():
    port = free_port()
    with pytest.raises(ConfigError, match=f'rank 0 did not answer at 127.0.0.1:{port} for 0.5 sec'):
        open_store('127.0.0.1', port, False, 0.5)


def test_attempts_of_torchrun_do_not_see_each_others_keys():
    port = free_port()
    first = open_store('127.0.0.1', port, True, 5, env={})
    second = open_store('127.0.0.1', port, False, 5, env={'TORCHELASTIC_RESTART_COUNT': '1'})
    first.set('key', '')
    assert first.check(['key'])
    assert not second.check(['key'])
