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
from ..whole_file import whole_file


class _Waiting:
    """A file backend whose removals are noted instead of done."""

    def __init__(self, backend) -> None:
        self.backend, self.noted = backend, []

    def remove(self, path: str) -> None:
        self.noted.append(path)

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
        backend, waiting = self.file_backend, _Waiting(self.file_backend)
        self.file_backend = waiting
        try:
            yield
        finally:
            self.file_backend = backend
        for path in waiting.noted:
            if path not in kept() and backend.isfile(path):
                backend.remove(path)

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        expired = self._expire(runner, step) if self.max_keep_ckpts > 0 else []
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
        with whole_file(osp.join(runner.work_dir, 'last_checkpoint')) as file:
            file.write(self.last_ckpt)
        for path in expired:
            if path != self.last_ckpt and osp.isfile(path):
                os.remove(path)

    def _expire(self, runner, step: int) -> list[str]:
        """Note ``step`` as kept, and return the files that are one too many now."""
        kept, expired = self.keep_ckpt_ids, []
        if not kept or kept[-1] != step:
            while len(kept) >= self.max_keep_ckpts:
                expired.append(osp.join(self.out_dir, self.filename_tmpl.format(kept.popleft())))
            kept.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(kept))
        return expired

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not hasattr(self, 'file_backend'):  # set before a training: there is nothing to save
            return
        with self._removals_last(self._best_paths):
            super()._save_best_checkpoint(runner, metrics)

    def _best_paths(self) -> list[str]:
        if hasattr(self, 'best_ckpt_path_dict'):
            return list(self.best_ckpt_path_dict.values())
        return [getattr(self, 'best_ckpt_path', None)]
