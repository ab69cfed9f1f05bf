"""What signals do to a command: the first ends it in order, those after it do not disturb that.

Schedulers and people send several; one in the middle of tidying up would end in a traceback, with
processes left behind.
"""

import atexit
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

NAMES = ('SIGTERM', 'SIGUSR1')
# Seconds after which a second Ctrl-C is a person's who does not want to wait.
AGAIN = 1.0


@contextlib.contextmanager
def ended_by_signals() -> Iterator[Callable[[], None]]:
    """SIGTERM and SIGUSR1 end what runs inside by SystemExit with 128 + their number.

    Yields what makes the process deaf to them until it is gone, for a command that has ended by a
    signal; a SystemExit of such a code does so too.
    """
    numbers, before, ended = [], {}, False

    def hear_no_more() -> None:
        nonlocal ended
        ended = True
        for number in numbers:
            signal.signal(number, _nothing)
            # The interpreter gives back what signals do by default before it is gone.
            atexit.register(signal.signal, number, signal.SIG_IGN)

    def end(signum: int, frame) -> None:
        hear_no_more()
        sys.exit(128 + signum)

    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]  # Windows: one
        before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield hear_no_more
    except SystemExit as stop:
        if isinstance(stop.code, int) and stop.code > 128:
            hear_no_more()
        raise
    finally:
        for number, handler in before.items() if not ended else ():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _nothing(signum: int, frame) -> None:
    """A function, as a process that is started meanwhile must not inherit that it is ignored."""


def raising_once(exception: Callable[[int], Exception]) -> Callable:
    """A handler that raises ``exception(signum)`` for the first signal, and for a later Ctrl-C."""
    heard: list[float] = []

    def handler(signum: int, frame) -> None:
        heard.append(time.monotonic())
        if len(heard) == 1 or (signum == signal.SIGINT and heard[-1] - heard[0] > AGAIN):
            raise exception(signum)
    return handler
