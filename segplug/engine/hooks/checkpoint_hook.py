"""When checkpoints are written and which are removed.

mmengine removes the old file before it writes the new one; a run killed in between has none.
"""

import contextlib
import os
import os.path as osp
from collections.abc import Callable, Iterator

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook as _UpstreamCheckpointHook
from mmengine.hooks import checkpoint_hook as upstream

from ...registry import HOOKS
from .. import state
from ..whole_file import whole_file


class _Waiting:
    """A file backend whose removals are noted instead of done."""

    def __init__(self, backend, kept: Callable[[], list]) -> None:
        self.backend, self.kept, self.noted = backend, kept, []

    def remove(self, path: str) -> None:
        self.noted.append(path)

    def remove_noted(self) -> None:
        """Do what was put off, except what ``kept()`` names by now."""
        while self.noted:
            path = self.noted.pop()
            if path not in self.kept() and self.backend.isfile(path):
                self.backend.remove(path)

    def __getattr__(self, name: str):
        return getattr(self.backend, name)


class _NoFileClient:
    """In the place of mmengine's FileClient, which logs that it will be deprecated."""

    @staticmethod
    def infer_client(file_client_args=None, uri=None) -> None:
        """None, as there is no client."""


@HOOKS.register_module()
class CheckpointHook(_UpstreamCheckpointHook):
    """mmengine's hook, with its arguments; the new file is whole before the old one goes."""

    _last_step: int | None = None

    def before_train(self, runner) -> None:
        """mmengine's, without the FileClient that it makes, warns of and never uses."""
        if self.file_client_args is not None:
            super().before_train(runner)
            return
        client, upstream.FileClient = upstream.FileClient, _NoFileClient
        try:
            super().before_train(runner)
        finally:
            upstream.FileClient = client

    @contextlib.contextmanager
    def _removals_last(self, kept: Callable[[], list]) -> Iterator[None]:
        """Do what is removed inside only afterwards, except what ``kept()`` names by then."""
        self.file_backend = _Waiting(self.file_backend, kept)
        try:
            yield
            self._remove_noted()
        finally:
            self.file_backend = self.file_backend.backend

    def _remove_noted(self) -> None:
        """Before the newest checkpoint is written again, whose state forgets the old best file."""
        if isinstance(self.file_backend, _Waiting):
            self.file_backend.remove_noted()

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
        self._remove_noted()
        expired = self._expire(runner, step) if self.max_keep_ckpts > 0 else []
        name = self.filename_tmpl.format(step)
        self.last_ckpt = osp.join(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(self.out_dir, name, self.file_client_args,
                               save_optimizer=self.save_optimizer,
                               save_param_scheduler=self.save_param_scheduler, meta=meta,
                               by_epoch=self.by_epoch, backend_args=self.backend_args,
                               **self.args)
        if is_main_process():
            with whole_file(osp.join(runner.work_dir, 'last_checkpoint')) as file:
                file.write(self.last_ckpt)
            for path in expired:
                if path != self.last_ckpt and osp.isfile(path):
                    os.remove(path)
        if expired:
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

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

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not hasattr(self, 'file_backend'):  # set before a training: there is nothing to save
            return
        with self._removals_last(self._best_paths):
            super()._save_best_checkpoint(runner, metrics)

    def _best_paths(self) -> list[str]:
        if hasattr(self, 'best_ckpt_path_dict'):
            return list(self.best_ckpt_path_dict.values())
        return [getattr(self, 'best_ckpt_path', None)]
