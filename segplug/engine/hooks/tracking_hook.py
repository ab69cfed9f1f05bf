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
        if start is None or not is_main_process():
            return
        known = dict(runner.message_hub.runtime_info.get(KEY) or {})
        found = start(known if runner.iter else {}, versions())
        if found:
            runner.message_hub.update_info(KEY, found)
