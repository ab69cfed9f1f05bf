"""Starts the runs of tracking servers with the training, or goes on with those of a resumed one."""

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from ...registry import HOOKS
from ..state import versions

KEY = 'tracked_runs'  # in the message hub, which every checkpoint holds


@HOOKS.register_module()
class TrackingHook(Hook):
    """Begins a run of each back end of the visualizer that keeps runs.

    A checkpoint holds the ids of the runs, so that a training that goes on from it goes on with
    them. In effect where the visualizer is a `SegLocalVisualizer`; the Runner adds this hook.
    """

    # Before anything is logged.
    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """On the first process, once the state of a resumed training is there."""
        start = getattr(runner.visualizer, 'start_trackers', None)
        self._asks = start is not None and is_main_process()
        if self._asks:
            known = dict(runner.message_hub.runtime_info.get(KEY) or {})
            start(known if runner.iter else {}, versions(), resumed=runner.iter > 0)
            self._keep(runner)

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """A server that was away at the start, and came back, has a run only now."""
        if self._asks:
            self._keep(runner)

    def _keep(self, runner) -> None:
        found = runner.visualizer.tracked_runs()
        if found and found != runner.message_hub.runtime_info.get(KEY):
            runner.message_hub.update_info(KEY, found)
