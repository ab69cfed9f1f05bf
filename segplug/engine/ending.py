"""What becomes of an exception that ends a run: a stop that was asked for, a rank that is gone, or
what it says."""

import contextlib
import traceback
from collections.abc import Iterator

from torch import distributed as dist

from ..errors import SegplugError, TrainingError
from . import heartbeat
from .stopping import Stopped, request

# What gloo and NCCL say when another rank does not answer; torch has no class for all of it.
_SIGNS = ('gloo', 'Gloo', 'NCCL', 'onnection closed by peer', 'onnection reset by peer',
          'Broken pipe', 'Timed out waiting', 'Socket Timeout')


@contextlib.contextmanager
def explained_end() -> Iterator[None]:
    """Turn what a broken connection raises inside into who broke it, and tell the other ranks."""
    try:
        yield
    except Stopped as stop:
        # The loop's variables hold a loader's workers, which end as soon as nobody holds them.
        traceback.clear_frames(stop.__traceback__)
        raise
    except SegplugError as error:
        _tell(error)
        traceback.clear_frames(error.__traceback__)
        raise
    except Exception as error:
        if is_communication(error):
            # The model, and with it gloo's threads, must not outlive the group: see `leave`.
            traceback.clear_frames(error.__traceback__)
            # Whoever stops first tears the connections of the others.
            if request.signum:
                raise Stopped(request.signum) from error
            _blame(error)
        _tell(error)
        raise


def is_communication(error: Exception) -> bool:
    """Whether this is the failure of an exchange with another rank."""
    if not dist.is_available() or not dist.is_initialized():
        return False
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS))


def _blame(error: Exception) -> None:
    if heartbeat.current is None:
        return
    said = heartbeat.current.explain()
    if request.signum:
        raise Stopped(request.signum) from error
    if said:
        raise TrainingError(said) from error


def _tell(error: Exception) -> None:
    if heartbeat.current is not None:
        heartbeat.current.end(f'{type(error).__name__}: {error}')
