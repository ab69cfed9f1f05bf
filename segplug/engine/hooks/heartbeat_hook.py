"""How far a process is, for the thread that tells the others."""

from mmengine.hooks import Hook

from ...registry import HOOKS
from .. import distributed, heartbeat


@HOOKS.register_module()
class HeartbeatHook(Hook):
    """Tells the heartbeat how far this process is, see `engine.heartbeat`."""

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """All ranks must go on from the same iteration."""
        distributed.check_same_start(runner.iter)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """The batch is there."""
        self._tick(f'iteration {runner.iter + 1}')

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """The weights are new."""
        self._tick(f'after iteration {runner.iter + 1}, or reading the next batch')

    def after_val_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """One more batch is scored."""
        self._tick(f'after batch {batch_idx + 1} of the validation')

    def after_test_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """One more batch is scored."""
        self._tick(f'after batch {batch_idx + 1} of the test')

    @staticmethod
    def _tick(doing: str) -> None:
        if heartbeat.current is not None:
            heartbeat.current.tick(doing)
