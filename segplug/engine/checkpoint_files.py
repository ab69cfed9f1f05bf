"""Which of a folder's checkpoints a run goes on from.

The one that ``last_checkpoint`` names, unless it is damaged: then the newest that is whole, and
the log says which were passed over.
"""

import logging
import os
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process

from ..errors import CheckpointError
from .checkpoint import read_checkpoint
from .neighbours import by_likelihood


def latest_checkpoint(work_dir: str | os.PathLike) -> Path | None:
    """The file that ``last_checkpoint`` names, also when the folder was moved since."""
    pointer = Path(work_dir) / 'last_checkpoint'
    text = os.fsdecode(pointer.read_bytes()).strip() if pointer.is_file() else ''
    if not text or '\0' in text:  # cut off, or overwritten
        return None
    named, beside = Path(text), Path(work_dir) / Path(text).name
    # A copied folder goes on from its own file, whatever became of the other folder.
    return named if named.is_file() and not beside.is_file() else beside


def newest_good(work_dir: str | os.PathLike, logger: logging.Logger) -> Path | None:
    """The newest checkpoint of a folder that is whole and holds the state of a run.

    In a distributed job the main process chooses and all take its choice.

    Returns:
        None where there is no checkpoint at all.

    Raises:
        CheckpointError: There are some, and all are broken.
    """
    chosen = [None, None]
    if is_main_process():
        try:
            chosen[0] = _choose(Path(work_dir), logger)
        except CheckpointError as error:
            chosen[1] = error
    broadcast_object_list(chosen)
    if chosen[1] is not None:
        raise chosen[1]
    return chosen[0]


def _choose(work_dir: Path, logger: logging.Logger) -> Path | None:
    pointed = latest_checkpoint(work_dir)
    folders = dict.fromkeys([work_dir, pointed.parent] if pointed else [work_dir])
    files = [pointed] if pointed else []
    files += [f for folder in folders for f in by_likelihood(folder, pointed)]
    broken = []
    for path in files:
        try:
            if not holds_run(read_checkpoint(path)):
                continue  # weights alone: those of the best score, or what a person put there
        except CheckpointError as error:
            broken.append(path)
            logger.warning(f'{path} is passed over. {error.what}')
        else:
            if broken:
                logger.warning(f'Going on from {path}, the newest checkpoint that is whole.')
            return path
    if broken:
        raise CheckpointError(
            f'No checkpoint of {work_dir} is whole, so that there is none to resume.',
            got=', '.join(f'{path.name} (broken)' for path in broken[:5]),
            fix='restore one, or leave --resume away to start anew')
    return None


def holds_run(checkpoint: dict) -> bool:
    """Whether a run can go on from it: weights alone cannot."""
    meta = checkpoint.get('meta')
    return isinstance(meta, dict) and {'iter', 'epoch'} <= set(meta) and 'optimizer' in checkpoint
