"""A function on two processes that gloo joins: forked, so that nothing is imported again."""

import multiprocessing
import socket
from collections.abc import Callable

import torch

from .case import Skipped

SECONDS = 60  # after which two processes are taken to hang


def on_two(function: Callable[[int], object]) -> list:
    """What ``function(rank)`` gives on each of two processes, or what it raised, as text.

    Raises:
        Skipped: The system does not fork processes.
    """
    if 'fork' not in multiprocessing.get_all_start_methods():
        raise Skipped('this system does not fork processes')
    context, port = multiprocessing.get_context('fork'), _free_port()
    ends, workers = [], []
    for rank in range(2):
        ours, theirs = context.Pipe()
        workers.append(context.Process(target=_run, args=(function, rank, port, theirs),
                                       daemon=True))
        workers[-1].start()
        theirs.close()
        ends.append(ours)
    try:
        return [end.recv() if end.poll(SECONDS) else f'nothing for {SECONDS} s' for end in ends]
    except EOFError:
        return ['nothing: a process died']
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def _run(function: Callable[[int], object], rank: int, port: int, end) -> None:
    torch.set_num_threads(1)
    try:
        torch.distributed.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}',
                                             rank=rank, world_size=2)
        end.send(function(rank))
    except Exception as error:  # a third party's code may raise anything
        end.send(f'{type(error).__name__}: {error}')
    torch.distributed.destroy_process_group()
