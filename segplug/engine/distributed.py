"""Start and join distributed jobs, on GPUs (nccl) and on CPUs (gloo) by the same commands.

mmengine asks for a GPU whenever a launcher is named; here the backend follows the device.
`launch_command` starts the processes of one node through torchrun, `init` is what each calls.
"""

import atexit
import contextlib
import datetime
import gc
import inspect
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from ..compat.upstream import import_quietly
from ..errors import ConfigError
from . import heartbeat, joining
from .stopping import end_with_parent

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')
DEFAULT_TIMEOUT = 600  # seconds; torch's 30 minutes are long to wait for a dead rank
# torch gives up this much later than the heartbeat, which can say who hangs.
MARGIN = 20
ON_THE_CPU = 'to run on the CPU, set CUDA_VISIBLE_DEVICES=-1'


@dataclass(frozen=True)
class Place:
    """Where this process stands in the job."""

    rank: int
    world_size: int
    local_rank: int
    local_world_size: int


def find_place(launcher: str, env: Mapping[str, str] = os.environ) -> Place:
    """Read the launcher's environment variables.

    Raises:
        ConfigError: For an unknown launcher, or one that did not start this process.
    """
    if launcher not in LAUNCHERS:
        raise ConfigError(f'{launcher!r} is not a known launcher.', culprit=launcher,
                          expected=f'one of {", ".join(LAUNCHERS)}')
    if launcher == 'none':
        return Place(0, 1, 0, 1)
    rank, world, local = {
        'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
        'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
        'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
    }[launcher]
    missing = [name for name in (rank, world, local) if name not in env]
    if missing:
        raise ConfigError(
            f'--launcher {launcher} was given, but this process was not started by it: '
            f'{", ".join(missing)} is not set.',
            fix={'pytorch': 'start with `bash tools/dist_train.sh CONFIG NPROC`, or torchrun',
                 'slurm': 'start with srun',
                 'mpi': 'start with mpirun'}[launcher])
    world_size = int(env[world])
    # `SLURM_TASKS_PER_NODE` reads '4(x2),3'; the first number is the largest.
    local_size = {'pytorch': env.get('LOCAL_WORLD_SIZE'),
                  'slurm': env.get('SLURM_TASKS_PER_NODE', '').split('(')[0].split(',')[0],
                  'mpi': env.get('OMPI_COMM_WORLD_LOCAL_SIZE')}[launcher]
    return Place(int(env[rank]), world_size, int(env[local]), int(local_size or world_size))


def check_gpus(place: Place, num_gpus: int) -> None:
    """Raise a `ConfigError` when a node runs more processes than it has GPUs to see."""
    if 0 < num_gpus < place.local_world_size:
        visible = os.environ.get('CUDA_VISIBLE_DEVICES')
        shown = '' if visible is None else f' (CUDA_VISIBLE_DEVICES={visible})'
        raise ConfigError(
            f'{place.local_world_size} processes were started on a machine with {num_gpus} '
            f'visible GPU{"s" if num_gpus > 1 else ""}{shown}; each needs its own.',
            fix=f'start at most {num_gpus}, or make more visible; {ON_THE_CPU}')


def pick_backend(wanted: str | None, on_cuda: bool) -> str:
    """The backend for this device; ``nccl`` without a GPU becomes ``gloo``, as it cannot work.

    Published configs all name nccl, so this must not be an error.
    """
    if on_cuda:
        return wanted or 'nccl'
    return 'gloo' if wanted in (None, 'nccl') else wanted


def master_address(launcher: str, place: Place, env: Mapping[str, str] = os.environ,
                   port: int | None = None) -> tuple[str, str]:
    """(address, port) where the ranks meet, for launchers that do not set them.

    On slurm the port follows from the job id, so that two jobs on a node do not meet.
    """
    address = env.get('MASTER_ADDR')
    if address is None and place.local_world_size >= place.world_size:
        address = '127.0.0.1'
    elif address is None and launcher == 'slurm':
        address = _first_host(env)
    elif address is None:
        raise ConfigError('Several machines need one address to meet at.',
                          fix='set MASTER_ADDR to the name of the first machine')
    chosen = port or env.get('MASTER_PORT') or 20000 + int(env.get('SLURM_JOB_ID', 9500)) % 20000
    return address, str(chosen)


def _first_host(env: Mapping[str, str]) -> str:
    """The first machine of the job step; slurm writes lists such as node[03-05,11]."""
    hosts = env.get('SLURM_STEP_NODELIST') or env.get('SLURM_NODELIST') or ''
    try:
        return subprocess.run(['scontrol', 'show', 'hostnames', hosts], check=True, text=True,
                              capture_output=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise ConfigError(f'scontrol does not say which machine of {hosts!r} is the first.',
                          got=error, fix='set MASTER_ADDR to its name') from error


def init(launcher: str, backend: str | None = None, timeout: float = DEFAULT_TIMEOUT,
         port: int | None = None, silence: float = heartbeat.SILENCE,
         identity: dict | None = None) -> Place:
    """Join the job: choose the device, meet the other ranks, leave cleanly at exit.

    Args:
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.
        backend: 'nccl', 'gloo' or None for the one that fits the device.
        timeout: Seconds after which a missing or hung rank ends the job.
        port: Of the first machine, for slurm and mpi; torchrun hands its own over.
        silence: Seconds after which a rank that was not heard of is taken for dead.
        identity: What all ranks must have alike, see `joining.check_alike`.

    Raises:
        ConfigError: The ranks cannot meet, some do not come, or one was given something else.
    """
    place = find_place(launcher)
    if launcher == 'none' or dist.is_initialized():
        return place
    on_cuda = torch.cuda.is_available()
    check_gpus(place, torch.cuda.device_count() if on_cuda else 0)
    if launcher != 'pytorch':
        os.environ['MASTER_ADDR'], os.environ['MASTER_PORT'] = master_address(
            launcher, place, port=port)
        os.environ.update(RANK=str(place.rank), WORLD_SIZE=str(place.world_size),
                          LOCAL_RANK=str(place.local_rank))
        if launcher == 'slurm' and 'SLURM_CPUS_PER_TASK' in os.environ:
            # slurm shows a task its own cores only, so that they are not to be shared out.
            os.environ.setdefault('OMP_NUM_THREADS', os.environ['SLURM_CPUS_PER_TASK'])
    elif 'TORCHELASTIC_RUN_ID' in os.environ:
        end_with_parent()
    # What DDP imports of it once there is a group holds the group, which then outlives `leave`.
    import_quietly('torch.distributed.optim')
    store = _meet(place, timeout, silence, identity or {})
    if on_cuda:
        torch.cuda.set_device(place.local_rank)
    chosen = pick_backend(backend, on_cuda)
    # Without its device nccl guesses one at the first barrier, and warns.
    device = torch.device('cuda', place.local_rank) if chosen == 'nccl' else None
    dist.init_process_group(chosen, store=store, rank=place.rank, world_size=place.world_size,
                            timeout=datetime.timedelta(seconds=timeout + MARGIN),
                            device_id=device)
    atexit.register(leave)
    return place


def _meet(place: Place, timeout: float, silence: float, identity: dict) -> dist.Store:
    """Wait for all ranks, compare what they were given, and start the heartbeat."""
    serves = place.rank == 0 and os.environ.get('TORCHELASTIC_USE_AGENT_STORE') != 'True'
    where = os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT'])
    store = joining.open_store(*where, serves, timeout)
    peers = joining.roll_call(store, place.rank, place.world_size, timeout)
    joining.check_alike(store, peers, place.rank, identity, timeout)
    # A connection of its own: a call of the training may hold the other for minutes.
    heartbeat.current = heartbeat.Heartbeat(joining.open_store(*where, False, timeout), peers,
                                            place.rank, timeout, silence)
    heartbeat.current.start()
    return dist.PrefixStore('group', store)


def agree(*flags: int) -> list[int]:
    """The largest value of each flag on any rank, for decisions that all must take alike."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return list(flags)
    device = 'cuda' if dist.get_backend() == 'nccl' else 'cpu'
    told = torch.tensor(flags, device=device)
    dist.all_reduce(told, dist.ReduceOp.MAX)
    return told.tolist()


def check_same_start(iteration: int) -> None:
    """Raise a `ConfigError` on all ranks when they would go on from different iterations."""
    last, first = agree(iteration, -iteration)
    if last != -first:
        raise ConfigError(
            f'The ranks would go on from different iterations, {-first} and {last}: not all see '
            'the same checkpoint.', fix='put the work directory on a disk that all machines share, '
            'or copy it to each of them')


def keep_buffers_apart() -> dict[str, bool]:
    """The argument by which DistributedDataParallel leaves running statistics to the ranks.

    torch 2.13 calls ``broadcast_buffers`` deprecated in favour of ``forward_sync_buffers``.
    """
    known = inspect.signature(DistributedDataParallel).parameters
    name = 'forward_sync_buffers' if 'forward_sync_buffers' in known else 'broadcast_buffers'
    return {name: False}


def leave() -> None:
    """Destroy the process group, if there is one; torch warns about those that are left.

    A model wrapped by DDP holds the group too, and the runner around it is a cycle, so it is
    collected first. Otherwise gloo's threads outlive the group, and one that lets go of a tensor
    while Python shuts down aborts the process ("terminate called without an active exception");
    or the model goes last and joins them while it holds the lock that they wait for.
    """
    if heartbeat.current is not None:
        heartbeat.current.end()
        heartbeat.current = None
    if dist.is_initialized():
        gc.collect()
        dist.destroy_process_group()


# --- threads -------------------------------------------------------------------------------


def num_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def training_threads(num_threads: int | None, local_world_size: int,
                     env: Mapping[str, str] = os.environ) -> int:
    """Threads for each process: the setting, else OMP_NUM_THREADS, else an equal share."""
    if num_threads is not None:
        return int(num_threads)
    if env.get('OMP_NUM_THREADS', '').isdigit():
        return int(env['OMP_NUM_THREADS'])
    return max(1, num_cores() // local_world_size)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute with ``count`` threads inside, and as before afterwards.

    Sums depend on how many threads share them; a test that is to give the same bytes for any
    number of processes must not let the thread count follow the process count.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# --- launching -----------------------------------------------------------------------------


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def launch_command(nproc: int, argv: Sequence[str], nnodes: int = 1, node_rank: int = 0,
                   master_addr: str | None = None, port: int | None = None,
                   max_restarts: int = 0, join_timeout: int = DEFAULT_TIMEOUT) -> list[str]:
    """The torchrun command that starts ``nproc`` processes of ``argv`` on this node.

    One node without a port lets torchrun keep the port it binds (no race with other jobs).

    Args:
        argv: A script with its arguments, or ``['-m', 'package.module', ...]``.
        nnodes: Machines in all; each runs the same command with its own ``node_rank``.
        master_addr: Machine 0, needed with several machines.
        port: Of machine 0; 29500 when not given with several machines.
        max_restarts: How often all processes are started again after a failure.
        join_timeout: Seconds that machines wait for each other.
    """
    if nproc < 1 or not 0 <= node_rank < nnodes:
        raise ConfigError('The number of processes or machines makes no sense.',
                          got=f'NPROC={nproc} NNODES={nnodes} NODE_RANK={node_rank}',
                          expected='NPROC >= 1 and 0 <= NODE_RANK < NNODES')
    if nnodes > 1 and not master_addr and node_rank > 0:
        raise ConfigError(f'Machine {node_rank} of {nnodes} does not know where machine 0 is.',
                          fix='set MASTER_ADDR to its name or address')
    command = [sys.executable, '-m', 'torch.distributed.run', f'--nproc-per-node={nproc}']
    if max_restarts:
        command.append(f'--max-restarts={max_restarts}')
    if nnodes == 1 and port is None:
        command += ['--standalone', '--local-addr=localhost']
    else:
        command += [f'--nnodes={nnodes}', f'--node-rank={node_rank}',
                    f'--master-addr={master_addr or "127.0.0.1"}',
                    f'--master-port={port or 29500}', f'--rdzv-conf=timeout={join_timeout}']
    return [*command, *argv]


def launch_environment(nproc: int, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for `launch_command`: cores shared out, unless the user chose a number.

    Without it torchrun sets one thread for each process, which leaves cores idle.
    """
    share = str(training_threads(None, nproc, env))
    return {**env, 'OMP_NUM_THREADS': share, 'MKL_NUM_THREADS': env.get('MKL_NUM_THREADS', share)}
