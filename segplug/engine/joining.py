"""The ranks of a job meet: who is there, who is missing, and whether all were given the same.

torch's own meeting waits without saying for whom, does not hear Ctrl-C meanwhile, and starts ranks
whose configs differ; such a job hangs at the first sum of tensors of different shapes.
"""

import contextlib
import datetime
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from torch import distributed as dist

from ..errors import ConfigError

# What machines may have of their own: where things lie, not what is computed.
_LOCAL = {'work_dir', 'data_root', 'load_from', 'log_file', 'packed'}
_TAKEN = ('EADDRINUSE', 'ddress already in use')
_PAUSE = 0.1
# What the heartbeat reads of every rank: reading a key that does not exist would wait for it.
BEAT_KEYS = ('beat', 'ended')


@dataclass(frozen=True)
class Peer:
    """One process of the job."""

    rank: int
    host: str
    pid: int

    def __str__(self) -> str:
        return f'rank {self.rank} (process {self.pid} on {self.host})'


def open_store(host: str, port: int, serves: bool, timeout: float,
               env: Mapping[str, str] = os.environ) -> dist.Store:
    """A connection to the store of keys where all ranks meet.

    Args:
        host: Of the server: rank 0, or the first torchrun.
        port: TCP port there.
        serves: Whether this process is the server.
        timeout: Seconds to wait for the server.
        env: Of torchrun, for the number of the attempt.

    Raises:
        ConfigError: The port is taken, or nothing answers there.
    """
    if not serves:
        _wait_for_server(host, port, timeout)
    try:
        store = dist.TCPStore(host, port, None, serves, wait_for_workers=False,
                              timeout=datetime.timedelta(seconds=timeout), multi_tenant=serves)
    except RuntimeError as error:
        if is_port_taken(error):
            raise port_in_use(port) from error
        raise
    # torchrun's server outlives a restart, and so would the keys of the attempt before.
    return dist.PrefixStore(f'segplug/{env.get("TORCHELASTIC_RESTART_COUNT", 0)}', store)


def is_port_taken(error: Exception) -> bool:
    """Whether torch's store could not listen because somebody else does."""
    return any(sign in str(error) for sign in _TAKEN)


def port_in_use(port: int) -> ConfigError:
    """What to say when another program listens where the ranks are to meet."""
    return ConfigError(
        f'Port {port} of {socket.gethostname()} is in use, by another job perhaps; the ranks '
        'cannot meet there.', fix='choose another one: PORT=... for dist_train.sh, MASTER_PORT=... '
        'for slurm and mpi, --master-port for torchrun')


def _wait_for_server(host: str, port: int, timeout: float) -> None:
    """Knock until somebody opens; TCPStore would write a page of warnings each time."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection((host, port), timeout=2).close()
            return
        except OSError as error:
            reason = error
        if time.monotonic() > deadline:
            raise ConfigError(
                f'The machine of rank 0 did not answer at {host}:{port} for {timeout:g} seconds '
                f'({reason}).', fix='see whether rank 0 was started and why it ended, whether '
                'MASTER_ADDR names its machine, and whether a firewall closes that port')
        time.sleep(_PAUSE)


def roll_call(store: dist.Store, rank: int, world_size: int, timeout: float) -> list[Peer]:
    """Wait until every rank has come.

    Raises:
        ConfigError: Some have not within ``timeout`` seconds; they are numbered.
    """
    for key in BEAT_KEYS:
        store.set(f'{key}/{rank}', '')
    me = dict(rank=rank, host=socket.gethostname(), pid=os.getpid())
    store.set(f'here/{rank}', json.dumps(me))
    missing = _wait(store, [f'here/{r}' for r in range(world_size)], timeout)
    if missing:
        ranks = ', '.join(key.partition('/')[2] for key in missing)
        raise ConfigError(
            f'{len(missing)} of {world_size} processes did not come within {timeout:g} seconds: '
            f'rank{"s" if len(missing) > 1 else ""} {ranks}.',
            fix='see whether their machines were started, and why they ended; if they need '
                'longer, raise env_cfg.dist_cfg.timeout')
    return [Peer(**json.loads(store.get(f'here/{r}'))) for r in range(world_size)]


def _wait(store: dist.Store, keys: list[str], timeout: float) -> list[str]:
    """The keys that nobody has set after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while keys and time.monotonic() < deadline:
        keys = [] if store.check(keys) else [key for key in keys if not store.check([key])]
        if keys:
            time.sleep(_PAUSE)
    return keys


def check_alike(store: dist.Store, peers: list[Peer], rank: int, identity: dict,
                timeout: float) -> None:
    """Compare what each rank was given with what rank 0 was given.

    Args:
        store: Where they met.
        peers: All ranks.
        rank: Of this process.
        identity: What to compare by name ('config', 'plugins'), of JSON types.
        timeout: Seconds to wait for each other.

    Raises:
        ConfigError: On every rank alike, naming the first rank that differs and in what.
    """
    if rank == 0:
        store.set('identity', json.dumps(identity))
    _wait(store, ['identity'], timeout)
    theirs = json.loads(store.get('identity'))
    store.set(f'alike/{rank}', first_difference(theirs, identity, peers[rank]) or '')
    keys = [f'alike/{r}' for r in range(len(peers))]
    _wait(store, keys, timeout)
    for key in keys:
        if said := store.get(key).decode():
            _part(store, rank, len(peers))
            raise ConfigError(said, fix='start the same command, with the same packages and the '
                                        'same files, on every machine')


def _part(store: dist.Store, rank: int, world_size: int) -> None:
    """Let rank 0, which may serve the store, go last."""
    store.set(f'parted/{rank}', '1')
    if rank == 0:
        with contextlib.suppress(RuntimeError):
            _wait(store, [f'parted/{r}' for r in range(world_size)], 5)


def first_difference(reference: dict, identity: dict, peer: Peer) -> str | None:
    """A sentence on the first thing that ``peer`` was given otherwise than rank 0, or None."""
    for name, ours in identity.items():
        first, second = _flat(reference.get(name)), _flat(ours)
        for key in [*first, *second]:
            if first.get(key, _ABSENT) != second.get(key, _ABSENT):
                what = f'{name}.{key}' if key else name
                return (f'{str(peer).capitalize()} was given another {name} than rank 0: {what} is '
                        f'{_shown(second, key)} there and {_shown(first, key)} on rank 0.')
    return None


_ABSENT = object()


def _shown(flat: dict, key: str) -> str:
    return 'not set' if key not in flat else repr(flat[key])[:200]


def _flat(value, prefix: str = '') -> dict:
    """{'a': {'b': 1}} -> {'a.b': 1}, without what machines may have of their own."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {key: item for name, inner in value.items() if name not in _LOCAL
            for key, item in _flat(inner, f'{prefix}.{name}' if prefix else str(name)).items()}
