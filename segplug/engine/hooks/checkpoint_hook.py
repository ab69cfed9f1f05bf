"""When checkpoints are written and which are removed.

mmengine removes the old file before it writes the new one; a run killed in between has none.
"""

import contextlib
import hashlib
import os
import os.path as osp
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

from mmengine.dist import is_main_process, master_only
from mmengine.hooks import CheckpointHook as _UpstreamCheckpointHook
from mmengine.hooks import checkpoint_hook as upstream

from ...errors import OutputError
from ...registry import HOOKS
from ...signature import extends
from .. import checkpoint, state
from ..whole_file import cannot_write, whole_file

STOPPED_AT = 'stopped_at'  # in the message hub: the iteration in the name of StopHook's file


class _Waiting:
    """A file backend whose removals are noted instead of done."""

    def __init__(self, backend, kept: Callable[[], list]) -> None:
        self.backend, self.kept, self.noted = backend, kept, []

    def remove(self, path: str) -> None:
        self.noted.append(path)

    def due(self) -> list[str]:
        """What was put off, except what ``kept()`` names by now."""
        due, self.noted = [path for path in self.noted if path not in self.kept()], []
        return due

    def __getattr__(self, name: str):
        return getattr(self.backend, name)


class _NoFileClient:
    """In the place of mmengine's FileClient, which logs that it will be deprecated."""

    @staticmethod
    def infer_client(file_client_args=None, uri=None) -> None:
        """None, as there is no client."""


def _once_written(runner, function: Callable[[], None]) -> None:
    """Call ``function`` when the checkpoint that was saved last is on the disk."""
    if runner.checkpoint_writer is not None:
        runner.checkpoint_writer.then(function)
    else:
        function()


def remove(paths: list[str]) -> None:
    for path in paths:
        if osp.isfile(path):
            os.remove(path)


@HOOKS.register_module()
class CheckpointHook(_UpstreamCheckpointHook):
    """mmengine's hook, with its arguments; the new file is whole before the old one goes.

    Args:
        background: Write in a thread while the training goes on; an error of it is raised at the
            next save or at the end. Costs the checkpoint's size in memory. Hooks that change
            weights before an iteration do not go together with it.
    """

    @extends(_UpstreamCheckpointHook, without=('kwargs',))
    def __init__(self, background: bool = False, **options) -> None:
        super().__init__(**options)
        self.background = background
        self._last_step: int | None = None  # of the newest checkpoint, until a validation

    def before_train(self, runner) -> None:
        """mmengine's, without the FileClient that it makes, warns of and never uses.

        What a resumed checkpoint says of files to remove is data of whoever wrote it: only
        checkpoints of this folder are ever removed.
        """
        if runner.iter > 0:  # the one it resumed from
            self._last_step = runner.epoch if self.by_epoch else runner.iter
        hub = runner.message_hub
        if 'keep_ckpt_ids' in hub.runtime_info:
            hub.update_info('keep_ckpt_ids', [
                step for step in hub.get_info('keep_ckpt_ids') if type(step) is int])
        if self.file_client_args is not None:
            super().before_train(runner)
            return
        client, upstream.FileClient = upstream.FileClient, _NoFileClient
        try:
            super().before_train(runner)
        finally:
            upstream.FileClient = client
        last = self._own(hub.runtime_info.get('last_ckpt') or '')
        if runner.iter > 0 and osp.isfile(last):  # written again with each new best score
            self.last_ckpt = last
        if getattr(self, 'best_ckpt_path', None) is not None:
            self.best_ckpt_path = self._own(self.best_ckpt_path)
        if hasattr(self, 'best_ckpt_path_dict'):
            self.best_ckpt_path_dict = {key: path and self._own(path)
                                        for key, path in self.best_ckpt_path_dict.items()}
        if is_main_process():
            self._prepare_folder(runner.work_dir)
        if self.background:
            runner.write_in_background()

    def _own(self, path: str) -> str:
        """The file of that name in our folder, which may have been moved since."""
        return osp.join(self.out_dir, osp.basename(str(path)))

    def _prepare_folder(self, work_dir: str) -> None:
        """Make the folder, and clear away what a run that was killed had begun to write."""
        try:
            os.makedirs(self.out_dir, exist_ok=True)
            ending = Path(self.filename_tmpl).suffix
            for part in [*Path(self.out_dir).glob(f'.*{ending}.*.part'),
                         *Path(work_dir).glob('.last_checkpoint.*.part')]:
                part.unlink()
        except OSError as error:
            raise cannot_write(self.out_dir, error) from error

    def before_val(self, runner) -> None:
        """An average of weights may take their place now."""
        if runner.checkpoint_writer is not None:
            runner.checkpoint_writer.copied()

    def after_train(self, runner) -> None:
        """mmengine's, once everything is written."""
        if runner.checkpoint_writer is not None:
            runner.checkpoint_writer.finish()
        super().after_train(runner)

    @contextlib.contextmanager
    def _removals_last(self, runner, kept: Callable[[], list]) -> Iterator[None]:
        """Do what is removed inside only afterwards, except what ``kept()`` names by then."""
        self.file_backend = _Waiting(self.file_backend, kept)
        try:
            yield
            self._remove_noted(runner)
        finally:
            self.file_backend = self.file_backend.backend

    def _remove_noted(self, runner) -> None:
        """Before the newest checkpoint is written again, whose state forgets the old best file."""
        if isinstance(self.file_backend, _Waiting):
            due = self.file_backend.due()
            _once_written(runner, lambda: remove(due))

    def after_val_epoch(self, runner, metrics: dict) -> None:
        """mmengine's; what follows from the metrics is also in the newest checkpoint afterwards.

        mmengine writes it again only with a new best score, and a schedule that steps by metrics
        loses a step to a resume.
        """
        state.note_validation(runner)
        step = runner.epoch if self.by_epoch else runner.iter
        stale, self._last_step = self._last_step == step, None
        super().after_val_epoch(runner, metrics)
        if stale and self._last_step is None and state.follows_validation(runner):
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, step, meta)

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        self._last_step = step
        self._remove_noted(runner)
        self._check_folder()
        expired = self._expire(runner, step) if self.max_keep_ckpts > 0 else []
        stops = self.take_stop(runner)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = osp.join(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(self.out_dir, name, self.file_client_args,
                               save_optimizer=self.save_optimizer,
                               save_param_scheduler=self.save_param_scheduler, meta=meta,
                               by_epoch=self.by_epoch, backend_args=self.backend_args,
                               **self.args)
        if not is_main_process():
            return
        expired += [path for path in stops if self.max_keep_ckpts > 0]
        last, expired = self.last_ckpt, [path for path in expired if path != self.last_ckpt]

        def conclude() -> None:
            with whole_file(osp.join(runner.work_dir, 'last_checkpoint'), 'wb') as file:
                file.write(os.fsencode(last))  # in any language setting
            remove(expired)

        _once_written(runner, conclude)

    def _check_folder(self) -> None:
        """A folder that vanished was moved or unmounted: another in its place would hide that."""
        if is_main_process() and not osp.isdir(self.out_dir):
            raise OutputError(f'The folder of the checkpoints, {self.out_dir}, is gone.',
                              fix='mount it or move it back; then go on with --resume')

    def _expire(self, runner, step: int) -> list[str]:
        """Note ``step`` as kept, and return the files that are one too many now.

        The new checkpoint names these too: a run that is killed before they are removed finds
        them when it resumes, and `before_train` removes what is too many.
        """
        kept, steps = self.keep_ckpt_ids, []
        if not kept or kept[-1] != step:
            while len(kept) >= self.max_keep_ckpts:
                steps.append(kept.popleft())
            kept.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', [*steps, *kept])
        return [osp.join(self.out_dir, self.filename_tmpl.format(one)) for one in steps]

    def take_stop(self, runner) -> list[str]:
        """The file that `StopHook` left between two epochs, in a run that has gone on from it."""
        done = runner.message_hub.runtime_info.pop(STOPPED_AT, None)
        return [osp.join(self.out_dir, f'iter_{done}.pth')] if type(done) is int else []

    @master_only
    def _publish_model(self, runner, ckpt_path: str | None) -> None:
        """mmengine's, whole or not at all."""
        if ckpt_path is None:
            return
        whole = checkpoint.read_checkpoint(ckpt_path)
        kept = {key: value for key, value in whole.items() if key in self.published_keys}
        digest = hashlib.sha256(pickle.dumps(kept)).hexdigest()[:8]
        path = f'{osp.splitext(ckpt_path)[0]}-{digest}.pth'
        checkpoint.save_checkpoint(checkpoint.to_plain(kept), path)
        runner.logger.info(f'{ckpt_path} is published as {path}, without '
                           f'{", ".join(key for key in whole if key not in kept) or "nothing"}.')

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not hasattr(self, 'file_backend'):  # set before a training: there is nothing to save
            return
        with self._removals_last(runner, self._best_paths):
            super()._save_best_checkpoint(runner, metrics)

    def _best_paths(self) -> list[str]:
        if hasattr(self, 'best_ckpt_path_dict'):
            return list(self.best_ckpt_path_dict.values())
        return [getattr(self, 'best_ckpt_path', None)]
