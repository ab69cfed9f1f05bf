"""What every back end has in common: it must be installed, and must not end a training."""

import errno
import importlib.util
import logging
import time
from collections.abc import Callable, Mapping

from mmengine.logging import print_log

from ...errors import ConfigError, SegplugError

# Back end -> (package that it imports, what pip installs). TensorBoard may be missing.
PACKAGES = {
    'WandbVisBackend': ('wandb', 'wandb'), 'MLflowVisBackend': ('mlflow', 'mlflow'),
    'ClearMLVisBackend': ('clearml', 'clearml'), 'NeptuneVisBackend': ('neptune', 'neptune'),
    'DVCLiveVisBackend': ('dvclive', 'dvclive'), 'AimVisBackend': ('aim', 'aim')}
PAUSE = 60.0  # seconds without a try after a failure; doubled with each that follows
LONGEST = 1800.0
# What says that nobody answers: names of Python's errors and of those of requests, and numbers.
_AWAY = {'ConnectionError', 'TimeoutError', 'Timeout', 'RetryError', 'gaierror'}
_AWAY_NUMBERS = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH}


def check_installed(kind: str) -> None:
    """Raise for a back end whose package is missing.

    Raises:
        ConfigError: With what to install.
    """
    package, name = PACKAGES.get(kind, ('', ''))
    if package and importlib.util.find_spec(package) is None:
        raise ConfigError(f'{kind} needs {package}, which is not installed.', culprit=kind,
                          fix=f'pip install {name}, or take it out of visualizer.vis_backends')


class Tracker:
    """A back end that keeps runs on a server, and goes on with the one of a resumed training.

    Attributes:
        run_id: Of the run there; None before `start`.
    """

    run_id: str | None = None

    def start(self, run_id: str | None, facts: Mapping[str, str]) -> None:
        """Begin a run, or go on with ``run_id``.

        Args:
            run_id: What `run_id` was when the checkpoint was written that the training goes on
                from.
            facts: Recorded beside the config: versions and the like.
        """
        raise NotImplementedError


class Guard:
    """Calls to one back end, whose server may be away, at the start too.

    A failure is told once, nothing is tried for a while, and the training goes on; what was missed
    stands in scalars.json. Only a mistake in what a back end is given ends a training, before it
    begins.

    Args:
        kind: Name of the back end.
        clock: Seconds.

    Attributes:
        was_started: Whether `start` was called.
    """

    def __init__(self, kind: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.kind, self._clock = kind, clock
        self._pause, self._next, self._missed = PAUSE, 0.0, 0
        self.was_started = False

    def start(self, function: Callable, *args, resumed: bool = False, **kwargs) -> None:
        """Call what starts the back end.

        Args:
            function: What is called, with ``args`` and ``kwargs``.
            resumed: The training was begun before: no failure ends it.

        Raises:
            ConfigError: It fails, and not because nobody answers.
        """
        self.was_started = True
        try:
            function(*args, **kwargs)
        except Exception as error:
            if resumed or nobody_answers(error):
                self._failed(error)
                return
            if isinstance(error, SegplugError):
                raise
            raise ConfigError(
                f'{self.kind} cannot start: {_words(error)}.', culprit=self.kind,
                fix='mend what it says, or take it out of visualizer.vis_backends') from error

    def call(self, function: Callable, *args, **kwargs) -> None:
        """Call ``function``, unless its last failure was a moment ago."""
        if self._clock() < self._next:
            self._missed += 1
            return
        try:
            function(*args, **kwargs)
        except Exception as error:
            self._failed(error)
            return
        if self._missed:
            print_log(f'{self.kind} is back; {self._missed} entries are missing there.', 'current')
        self._pause, self._missed = PAUSE, 0

    def _failed(self, error: Exception) -> None:
        self._missed += 1
        self._next = self._clock() + self._pause
        if self._pause == PAUSE:
            print_log(f'{self.kind} fails: {_words(error)}. The training goes on without it, '
                      'and tries it again from time to time; scalars.json holds all values.',
                      'current', logging.WARNING)
        self._pause = min(2 * self._pause, LONGEST)


def nobody_answers(error: BaseException | None) -> bool:
    """Whether a server that cannot be reached, or not in time, is behind an error."""
    while error is not None:
        if _AWAY & {cls.__name__ for cls in type(error).__mro__} or \
                getattr(error, 'errno', None) in _AWAY_NUMBERS:
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: Exception) -> str:
    text = ' '.join(str(error).split()).rstrip('.')
    return f'{type(error).__name__}{": " if text else ""}{text[:300]}'


def numbers(values: Mapping) -> dict[str, float]:
    """What of a log line is a number; tensors of one element too."""
    found = {}
    for name, value in values.items():
        if hasattr(value, 'item') and getattr(value, 'size', None) != 0:
            value = value.item() if _is_single(value) else None
        if isinstance(value, int | float):
            found[name] = value
    return found


def _is_single(value) -> bool:
    return (value.numel() if hasattr(value, 'numel') else value.size) == 1
