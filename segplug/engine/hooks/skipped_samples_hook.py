"""Says which samples a training left out: each once, all in a file, and how many at the end."""

from pathlib import Path

from mmengine.dist import all_gather_object, get_world_size, is_main_process
from mmengine.hooks import Hook

from ...errors import DataError
from ...registry import HOOKS
from ..checkpoint import whole_file
from ..skipping import Skipped, SkippingLoader, too_many

FILE = 'skipped_samples.txt'
_SHOWN = 20


@HOOKS.register_module()
class SkippedSamplesHook(Hook):
    """In effect where ``train_dataloader`` has ``skip_bad_samples``; the Runner adds it there.

    Each bad sample is logged when a batch is trained on that lacks it, and written to
    ``skipped_samples.txt`` in the work directory: file, tab, reason. A resumed run adds to that
    list. Processes tell each other every ``interval`` iterations and at the end of an epoch.

    Args:
        interval: Iterations after which processes tell each other; one alone always knows.

    Raises:
        DataError: More samples are bad than ``skip_bad_samples`` allows, on every process at once.
    """

    # Before the hook that writes checkpoints.
    priority = 'NORMAL'

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self._loader: SkippingLoader | None = None
        self._waiting: dict[str, Skipped] = {}
        self._found: dict[str, Skipped] = {}
        self._listed: dict[str, str] = {}

    def before_train(self, runner) -> None:
        """Start a list, or go on with that of the run that is resumed."""
        loader = runner.train_dataloader
        self._loader = loader if isinstance(loader, SkippingLoader) else None
        path = Path(runner.work_dir) / FILE
        self._waiting, self._found, self._listed = {}, {}, {}
        if self._loader is None or not is_main_process():
            return
        if runner.iter > 0:
            self._listed = read_list(path)
        else:
            path.unlink(missing_ok=True)

    def after_train_iter(self, runner, batch_idx: int, data_batch=None,
                         outputs: dict | None = None) -> None:
        """Note what the batch lacks."""
        if self._loader is None:
            return
        for one in self._loader.skipped:
            if one.name not in self._found:
                self._waiting.setdefault(one.name, one)
        self._loader.skipped.clear()
        if get_world_size() == 1 or self.every_n_train_iters(runner, self.interval):
            self._tell(runner)

    def after_train_epoch(self, runner) -> None:
        """Tell the other processes."""
        if self._loader is not None:
            self._tell(runner)

    def after_train(self, runner) -> None:
        """How many there were, and where they are listed."""
        if self._loader is None or not is_main_process():
            return
        if not self._listed:
            runner.logger.info('No sample was left out of the training.')
            return
        lines = [f'{name}: {reason}' for name, reason in self._listed.items()]
        more = [f'... and {len(lines) - _SHOWN} more'] if len(lines) > _SHOWN else []
        runner.logger.warning('\n  '.join([
            f'{_samples(len(lines))} left out of the training, listed in '
            f'{Path(runner.work_dir) / FILE}:', *lines[:_SHOWN], *more]))

    def _tell(self, runner) -> None:
        """Join what all processes met, log and list what is new, and stop if it is too much."""
        if get_world_size() == 1 and not self._waiting:
            return
        parts = all_gather_object(list(self._waiting.values()))
        self._waiting = {}
        new = {one.name: one for part in parts for one in part if one.name not in self._found}
        self._found.update(new)
        if new and is_main_process():
            self._write(runner, new)
        limit = self._loader.dataset.limit
        if new and limit is not None and len(self._found) > limit:
            raise too_many([*self._found.values()], limit)

    def _write(self, runner, new: dict[str, Skipped]) -> None:
        for name, one in new.items():
            if name not in self._listed:
                runner.logger.warning(f'Left out, the next sample takes its place: {name}: '
                                      f'{one.reason}')
            self._listed[name] = one.reason
        write_list(Path(runner.work_dir) / FILE, self._listed)


def _samples(count: int) -> str:
    return f'{count} sample{" was" if count == 1 else "s were"}'


def write_list(path: Path, listed: dict[str, str]) -> None:
    """One line for each sample: file, tab, reason."""
    lines = [f'{_one_line(name)}\t{_one_line(reason)}\n' for name, reason in listed.items()]
    with whole_file(path, 'wb') as file:
        file.write(''.join(lines).encode('utf-8', 'surrogateescape'))


def _one_line(text: str) -> str:
    return ' '.join(text.split('\n')).replace('\t', ' ')


def read_list(path: Path) -> dict[str, str]:
    """What `write_list` wrote; empty without a file.

    Raises:
        DataError: It is another file.
    """
    if not path.is_file():
        return {}
    lines = path.read_bytes().decode('utf-8', 'surrogateescape').split('\n')[:-1]
    pairs = [line.partition('\t') for line in lines]
    if not all(tab for _, tab, _ in pairs):
        raise DataError(f'{path} is no list of samples that were left out.',
                        expected='lines of a file, a tab and a reason', fix='delete or rename it')
    return {name: reason for name, _, reason in pairs}
