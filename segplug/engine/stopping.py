"""Ending a training when a signal asks for it: after a whole iteration, with the exit code that
shells expect, and with workers that the same signal does not take away before.

Schedulers and terminals send a signal to every process of a job. The one that trains only notes it;
`hooks.StopHook` writes the checkpoint.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

from ..errors import ConfigError

SIGNALS = ('SIGTERM', 'SIGINT', 'SIGUSR1')
# Seconds after which a second SIGINT is a person's: one that goes to all processes comes from
# torchrun as well.
AGAIN = 1.0


class Stopped(SystemExit):
    """A run that a signal ended; ``code`` is 128 + the signal's number, as in a shell."""

    def __init__(self, signum: int) -> None:
        super().__init__(128 + signum)
        self.signum = signum


class StopRequest:
    """The signal that asked for the end, and whether it waits for the end of an iteration.

    Attributes:
        signum: Number of the first signal that came, 0 for none.
        at_once: Whether a signal ends the run where it stands, as nothing is to be saved yet.
    """

    def __init__(self) -> None:
        self.signum, self.at_once = 0, False
        self._before: dict[int, object] = {}
        self._since = 0.0

    def listen(self, names: Sequence[str] = SIGNALS) -> None:
        """Take over these signals; only in the main thread, where Python hears them.

        Raises:
            ConfigError: For a name that is no signal here.
        """
        self.signum = 0
        for name in names:
            if not hasattr(signal, name) or not name.startswith('SIG'):
                if name in SIGNALS:
                    continue  # Windows has no SIGUSR1
                raise ConfigError(f'{name!r} is not a signal.', culprit=name,
                                  expected='names such as SIGTERM, SIGINT, SIGUSR1')
            if threading.current_thread() is threading.main_thread():
                number = getattr(signal, name)
                self._before.setdefault(number, signal.signal(number, self._note))

    def restore(self) -> None:
        """Give the signals back to whom they belonged before."""
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before = {}

    def ask(self, signum: int) -> None:
        """Ask for the end as signal ``signum`` would, for a process that did not get it itself."""
        self.signum = self.signum or signum

    def _note(self, signum: int, frame) -> None:
        now = time.monotonic()
        impatient = signum == signal.SIGINT == self.signum and now - self._since > AGAIN
        self._since = self._since if self.signum else now
        self.ask(signum)
        if self.at_once or impatient:
            raise Stopped(signum)


request = StopRequest()  # signals belong to the process, and so does this


def name_of(signum: int) -> str:
    """15 -> 'SIGTERM'."""
    return signal.Signals(signum).name


def shield_worker() -> None:
    """Let a worker outlive the signals of its job, and no longer than the process that it serves.

    Ctrl-C and schedulers reach workers too; without them the last iteration would not get its
    batch. SIGTERM from the process that it serves ends it, as torch expects, from others not.
    """
    for name in ('SIGINT', 'SIGUSR1', 'SIGUSR2'):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey_parent, daemon=True).start()
    end_with_parent(signal.SIGKILL)


def _obey_parent() -> None:
    master = multiprocessing.parent_process()
    masters = {os.getppid(), master.pid if master else 0}
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid not in masters:
        pass
    os._exit(0)


def end_with_parent(signum: int = signal.SIGTERM) -> None:
    """Ask Linux for a signal when the parent dies, so that nothing outlives it."""
    if sys.platform == 'linux':
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signum)
