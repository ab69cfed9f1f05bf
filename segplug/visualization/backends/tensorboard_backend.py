"""TensorBoard: silent where it is not installed, and where the disk is full."""

import importlib.util
import logging

from mmengine.logging import print_log
from mmengine.visualization import TensorboardVisBackend as _Upstream

from ...registry import VISBACKENDS

_said = set()


class _Silent:
    """Takes every call and does nothing."""

    def __getattr__(self, name: str):
        return lambda *args, **kwargs: None


class _Quiet:
    """A writer of records that says once that it cannot write, and drops the rest.

    TensorBoard 2.21 writes in a thread, which ends on a full disk with a traceback, and the
    training with it at the next value. Test: ``test_a_full_disk_ends_tensorboards_own_writer``.
    """

    def __init__(self, writer) -> None:
        self._writer, self._works = writer, True

    def __getattr__(self, name: str):
        return lambda *args: self._try(name, *args)

    def _try(self, name: str, *args) -> None:
        if not self._works:
            return
        try:
            getattr(self._writer, name)(*args)
        except OSError as error:
            self._works = False
            print_log(f'TensorBoard cannot write: {error.strerror or error}. The training goes on '
                      'without it; scalars.json holds all values.', 'current', logging.WARNING)


@VISBACKENDS.register_module()
class TensorboardVisBackend(_Upstream):
    """mmengine's TensorBoard backend, silent when TensorBoard is not installed.

    Args:
        save_dir: Folder of the event files.
    """

    def _init_env(self) -> None:
        if importlib.util.find_spec('tensorboard') is not None:
            super()._init_env()
            _keep_quiet(self._tensorboard)
            return
        self._tensorboard = _Silent()
        if 'tensorboard' not in _said:
            _said.add('tensorboard')
            print_log('TensorBoard is not installed; its log is off.', logger='current',
                      level=logging.INFO)


def _keep_quiet(summary_writer) -> None:
    """Put `_Quiet` before the file, where this TensorBoard is built as 2.21 is."""
    events = getattr(getattr(summary_writer, 'file_writer', None), 'event_writer', None)
    queue = getattr(events, '_async_writer', None)
    thread = getattr(queue, '_worker', None)
    if hasattr(queue, '_writer') and hasattr(thread, '_record_writer'):
        queue._writer = thread._record_writer = _Quiet(queue._writer)
