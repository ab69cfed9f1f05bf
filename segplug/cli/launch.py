"""Start a script on several processes, as torchrun does, and say in one sentence why it ended.

    python -m segplug.cli.launch --nproc 4 tools/train.py CONFIG --launcher pytorch

NNODES, NODE_RANK, MASTER_ADDR and PORT come from the environment, as mmsegmentation's
``dist_train.sh`` has them. Without PORT a single machine takes a free port. MAX_RESTARTS starts all
processes again after a failure, up to that often; JOIN_TIMEOUT is how many seconds machines wait
for each other.
"""

import argparse
import contextlib
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator

from ..errors import ConfigError
from ..startup import awake
from .help import parser_for
from .main import guarded
from .signals import raising_once


def launch(command: list[str], *, nproc: int) -> int:
    """Run ``command`` (a script with its arguments, or ``-m module ...``) on ``nproc`` processes.

    Returns:
        0 when all ended well, 128 + n when one was ended by signal n, else the exit code of the
        process that failed first.
    """
    import torch
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    from ..engine.distributed import Place, check_gpus, launch_command, launch_environment
    from ..engine.joining import is_port_taken
    check_gpus(Place(0, nproc, 0, nproc), torch.cuda.device_count())
    nodes = nodes_from_environment()
    torchrun_args = launch_command(nproc, command, **nodes)[3:]
    os.environ.update(launch_environment(nproc), SEGPLUG_LAUNCHER='1')
    # Its own account of a failure is a page; ours below is a sentence.
    logging.getLogger('torch.distributed.elastic').setLevel(logging.CRITICAL)
    args = torchrun.parse_args(torchrun_args)
    awake()
    try:
        with _one_end(SignalException):
            torchrun.run(args)
    except ChildFailedError as error:
        return _report_failures(error.failures)
    except SignalException as error:
        return 128 + int(error.sigval)
    except RuntimeError as error:  # of torch 2.4; a DistError since
        if isinstance(error, torch.distributed.DistError) or is_port_taken(error):
            raise _no_meeting(error, nodes) from error
        raise
    return 0


@contextlib.contextmanager
def _one_end(exception: type[Exception]) -> Iterator[None]:
    """The first signal ends the processes inside, a scheduler's SIGUSR1 too.

    Those after it do not cut short the half minute that torchrun leaves them to save.
    """
    from torch.distributed.elastic.multiprocessing import api
    handler = raising_once(lambda signum: exception(f'got {signum}', sigval=signal.Signals(signum)))
    own = api._terminate_process_handler  # which it sets when it starts them
    api._terminate_process_handler = handler
    if hasattr(signal, 'SIGUSR1') and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, handler)
    try:
        yield
    finally:
        api._terminate_process_handler = own


def _no_meeting(error: Exception, nodes: dict) -> ConfigError:
    """What a failure of torchrun's own store means, which it meets the other machines at."""
    from ..engine.joining import is_port_taken, port_in_use
    if is_port_taken(error):
        return port_in_use(nodes['port'] or 29500)
    first = nodes['master_addr'] or '127.0.0.1'
    found = re.search(r'(\d+)/(\d+) clients joined', str(error))
    if found:
        what = f'Only {found[1]} of {found[2]} machines came'
    elif nodes['node_rank']:
        what = f'Machine 0 did not answer at {first}'
    else:
        what = 'The machines lost each other'
    return ConfigError(f'{what} (NNODES={nodes["nnodes"]}, PORT={nodes["port"] or 29500}).',
                       got=str(error).splitlines()[0][:200],
                       fix='start the same command with NODE_RANK=0, 1, ... on each machine, with '
                           'MASTER_ADDR naming machine 0; JOIN_TIMEOUT sets how many seconds '
                           'they wait for each other')


def nodes_from_environment() -> dict:
    """NNODES, NODE_RANK, MASTER_ADDR, PORT, MAX_RESTARTS and JOIN_TIMEOUT as keyword arguments of
    ``launch_command``."""
    env = os.environ
    try:
        return dict(nnodes=int(env.get('NNODES', 1)), node_rank=int(env.get('NODE_RANK', 0)),
                    master_addr=env.get('MASTER_ADDR') or None,
                    port=int(env['PORT']) if env.get('PORT') else None,
                    max_restarts=int(env.get('MAX_RESTARTS') or 0),
                    join_timeout=int(env.get('JOIN_TIMEOUT') or 600))
    except ValueError as error:
        raise ConfigError('NNODES, NODE_RANK, PORT, MAX_RESTARTS and JOIN_TIMEOUT have to be whole '
                          f'numbers: {error}.') from error


def _report_failures(failures: dict) -> int:
    """Print each different message once; return the exit code of the first failure."""
    # torchrun ends the others with SIGTERM when one has failed; times are in whole seconds.
    ended = {-signal.SIGTERM, 128 + signal.SIGTERM}
    first = min(failures.values(), key=lambda f: (f.exitcode in ended, f.timestamp))
    said = set()
    for rank, failure in sorted(failures.items(), key=lambda item: item[1].timestamp):
        if failure is not first and failure.exitcode in ended:
            continue
        if isinstance(failure.message, dict):
            message = failure.message['message']
        elif failure.exitcode < 0:
            name = signal.Signals(-failure.exitcode).name
            message = f'Process {rank} was ended by {name}.'
        elif failure.exitcode in {128 + signum for signum in stop_signals()}:
            continue  # it has said so itself
        else:
            message = f'Process {rank} failed with exit code {failure.exitcode}; see above.'
        if message not in said:
            print(message, file=sys.stderr)
        said.add(message)
    return first.exitcode if first.exitcode > 0 else 128 - first.exitcode


def stop_signals() -> list[int]:
    """The signals that end a training with a checkpoint."""
    return [getattr(signal, name) for name in ('SIGINT', 'SIGTERM', 'SIGUSR1')
            if hasattr(signal, name)]


def main(argv: list[str] | None = None) -> int:
    parser = parser_for('python -m segplug.cli.launch', __doc__)
    parser.add_argument('--nproc', type=int, required=True, help='processes on this machine')
    parser.add_argument('command', nargs=argparse.REMAINDER, help='script and its arguments')
    args = parser.parse_args(argv)
    return guarded(lambda args, _: launch(args.command, nproc=args.nproc), args, [])


if __name__ == '__main__':
    sys.exit(main())
