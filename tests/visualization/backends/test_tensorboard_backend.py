"""TensorBoard: its file read back, a full disk, and none installed."""

import contextlib
import importlib.util
import threading

import pytest

from segplug.visualization.backends import TensorboardVisBackend, tensorboard_backend

pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning')


@pytest.fixture
def said(monkeypatch):
    """What is logged."""
    lines = []
    monkeypatch.setattr(tensorboard_backend, 'print_log', lambda text, *a, **k: lines.append(text))
    monkeypatch.setattr(tensorboard_backend, '_said', set())
    return lines


def test_silent_without_tensorboard(tmp_path, monkeypatch, said):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec',
                        lambda name, *a: None if name == 'tensorboard' else find(name, *a))
    for _ in range(2):
        backend = TensorboardVisBackend(str(tmp_path))
        backend.add_scalars(dict(loss=1.0), step=3)
        backend.close()
    assert said == ['TensorBoard is not installed; its log is off.']
    assert not list(tmp_path.iterdir())


class Full:
    """A file on a full disk."""

    def write(self, *data):
        raise OSError(28, 'No space left on device')

    flush = close = write


def fill(backend):
    """Let the disk of an open back end be full."""
    queue = backend.experiment.file_writer.event_writer._async_writer
    writer = queue._writer
    while hasattr(writer, '_writer'):  # down to the file
        writer = writer._writer
    writer.write = writer.flush = Full().write


def test_a_full_disk_is_told_once(tmp_path, said, capfd):
    pytest.importorskip('tensorboard')
    backend = TensorboardVisBackend(str(tmp_path))
    backend.add_scalar('loss', 1.0, 1)
    backend.experiment.flush()
    fill(backend)
    for step in range(5):
        backend.add_scalar('loss', 1.0, step)
        backend.experiment.flush()
    backend.close()
    assert said == ['TensorBoard cannot write: No space left on device. The training goes on '
                    'without it; scalars.json holds all values.']
    assert capfd.readouterr().err == ''


def test_a_full_disk_ends_tensorboards_own_writer(tmp_path, monkeypatch):
    """While this passes, `_Quiet` is needed."""
    pytest.importorskip('tensorboard')
    monkeypatch.setattr(threading, 'excepthook', lambda _: None)  # the traceback of the thread
    from mmengine.visualization import TensorboardVisBackend as Upstream
    backend = Upstream(str(tmp_path))
    backend.add_scalar('loss', 1.0, 1)
    backend.experiment.flush()
    fill(backend)
    backend.add_scalar('loss', 1.0, 2)
    with pytest.raises(OSError, match='No space'):
        backend.experiment.flush()
    events = backend.experiment.file_writer.event_writer
    with contextlib.suppress(OSError):
        events.close()  # ends its thread, before the traceback is pytest's again
    events._async_writer._worker.join(10)
