"""When torchrun starts the processes of a job anew (``--max-restarts``), the training goes on from
what the attempt before has written, without a flag."""

import os
from pathlib import Path

from mmengine.dist import is_main_process

from . import heartbeat
from .checkpoint_files import latest_checkpoint
from .distributed import agree

_KEY = 'segplug/newest'


def left_a_checkpoint(work_dir: str | os.PathLike) -> bool:
    """Whether an earlier attempt of this job has written a checkpoint; the same on all ranks.

    What lay in the folder before the job is not one of them: a training that starts anew in the
    folder of another must not go on with that after a restart. The first attempt notes in
    torchrun's store, which outlives it, what it found.
    """
    if heartbeat.current is None or 'TORCHELASTIC_RUN_ID' not in os.environ:
        return False
    store = heartbeat.current.store.underlying_store
    newest = _stamp(latest_checkpoint(work_dir)) if is_main_process() else ''
    if int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)) == 0:
        if is_main_process():
            store.set(_KEY, newest)
        return False
    is_new = is_main_process() and store.check([_KEY]) and store.get(_KEY).decode() != newest
    return bool(agree(is_new)[0])


def _stamp(path: Path | None) -> str:
    return f'{path} {path.stat().st_mtime_ns}' if path is not None and path.is_file() else 'none'
