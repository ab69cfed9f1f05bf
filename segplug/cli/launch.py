"""Start a script on several processes, as torchrun does, and say in one sentence why it ended.

    python -m segplug.cli.launch --nproc 4 tools/train.py CONFIG --launcher pytorch

NNODES, NODE_RANK, MASTER_ADDR and PORT come from the environment, as mmsegmentation's
``dist_train.sh`` has them. Without PORT a single machine takes a free port.
"""

import argparse
import logging
import os
import signal
import sys

from ..errors import ConfigError
from .main import guarded


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
    check_gpus(Place(0, nproc, 0, nproc), torch.cuda.device_count())
    torchrun_args = launch_command(nproc, command, **nodes_from_environment())[3:]
    os.environ.update(launch_environment(nproc), SEGPLUG_LAUNCHER='1')
    # Its own account of a failure is a page; ours below is a sentence.
    logging.getLogger('torch.distributed.elastic').setLevel(logging.CRITICAL)
    args = torchrun.parse_args(torchrun_args)
    try:
        torchrun.run(args)
    except ChildFailedError as error:
        return _report_failures(error.failures)
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


def nodes_from_environment() -> dict:
    """NNODES, NODE_RANK, MASTER_ADDR and PORT as keyword arguments of ``launch_command``."""
    env = os.environ
    try:
        return dict(nnodes=int(env.get('NNODES', 1)), node_rank=int(env.get('NODE_RANK', 0)),
                    master_addr=env.get('MASTER_ADDR') or None,
                    port=int(env['PORT']) if env.get('PORT') else None)
    except ValueError as error:
        raise ConfigError(f'NNODES, NODE_RANK and PORT have to be whole numbers: {error}.') \
            from error


def _report_failures(failures: dict) -> int:
    """Print each different message once; return the exit code of the first failure."""
    first = min(failures.values(), key=lambda failure: failure.timestamp)
    said = set()
    for rank, failure in sorted(failures.items(), key=lambda item: item[1].timestamp):
        if failure is not first and failure.exitcode == -signal.SIGTERM:
            continue  # torchrun ended it because the first one failed
        if isinstance(failure.message, dict):
            message = failure.message['message']
        elif failure.exitcode < 0:
            name = signal.Signals(-failure.exitcode).name
            message = f'Process {rank} was ended by {name}.'
        else:
            message = f'Process {rank} failed with exit code {failure.exitcode}; see above.'
        if message not in said:
            print(message, file=sys.stderr)
        said.add(message)
    return first.exitcode if first.exitcode > 0 else 128 - first.exitcode


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m segplug.cli.launch', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--nproc', type=int, required=True, help='processes on this machine')
    parser.add_argument('command', nargs=argparse.REMAINDER, help='script and its arguments')
    args = parser.parse_args(argv)
    return guarded(lambda args, _: launch(args.command, nproc=args.nproc), args, [])


if __name__ == '__main__':
    sys.exit(main())
