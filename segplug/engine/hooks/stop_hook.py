"""A signal ends the training after the iteration that runs, with a checkpoint to go on from."""

import os
import os.path as osp

from mmengine.dist import is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import BaseLoop

from ...registry import HOOKS
from .. import distributed, heartbeat
from ..stopping import SIGNALS, Stopped, name_of, request
from ..whole_file import whole_file
from .checkpoint_hook import STOPPED_AT, CheckpointHook, remove

WAIT = 25.0  # seconds that other ranks wait for rank 0 to write; launchers kill after 30


@HOOKS.register_module()
class StopHook(Hook):
    """Ends the process with 128 + the signal's number: 143 for SIGTERM, 130 for SIGINT.

    All ranks stop after the same iteration, whichever of them got the signal. One that comes
    during a validation ends that; before the first iteration there is nothing to save. A second
    SIGINT ends the process at once, without a checkpoint. The checkpoint is named by its iteration
    and goes where the CheckpointHook writes; without that hook none is written. The Runner adds
    this hook; ``default_hooks=dict(stop=None)`` leaves signals as they are.

    Args:
        signals: Names of those that end the training. SIGUSR1 is for schedulers that warn before
            they kill (``sbatch --signal=USR1@120``).
    """

    # After all hooks that change the run's state, and the one that writes checkpoints.
    priority = 'LOWEST'

    def __init__(self, signals: tuple[str, ...] = SIGNALS) -> None:
        self.signals = tuple(signals)

    def before_run(self, runner) -> None:
        """In a training signals are noted; until an iteration starts they end it at once."""
        if isinstance(runner._train_loop, BaseLoop):
            request.at_once = True
            request.listen(self.signals)

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """There is something to save from now on."""
        request.at_once = False
        runner.held_gradients = None

    def after_train_iter(self, runner, batch_idx: int, data_batch=None,
                         outputs: dict | None = None) -> None:
        """Stop, if any rank was asked to."""
        signum, = distributed.agree(request.signum)
        if signum:
            request.ask(signum)
            self._stop(runner, runner.iter + 1)

    def before_val_epoch(self, runner) -> None:
        """The other ranks are here now, and may not be when rank 0 has to save."""
        if isinstance(runner._train_loop, BaseLoop):
            runner.hold_gradients()

    def after_val_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Rank 0 stops between two images, once the heartbeat or a signal has told it; the others
        work on until it has saved, as it may wait for their results already."""
        if request.signum and not request.at_once and is_main_process():
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):  # it lent its average to the model
                    hook.after_val_epoch(runner)
            self._stop(runner, runner.iter)

    def after_train(self, runner) -> None:
        """The run is complete: a signal does what it did before."""
        request.restore()

    def _stop(self, runner, done: int) -> None:
        """Save the state after ``done`` iterations, and leave."""
        saved = self._save(runner, done)
        if is_main_process() and heartbeat.current is not None:
            heartbeat.current.say_saved()
        elif heartbeat.current is not None:
            heartbeat.current.wait_saved(WAIT)
        name = name_of(request.signum)
        runner.logger.warning(
            f'{name}: stopped after iteration {done}. ' +
            (f'Saved {saved}; go on with --resume.' if saved else 'No checkpoint was written, as '
             'there is no CheckpointHook.'))
        raise Stopped(request.signum)

    def _save(self, runner, done: int) -> str | None:
        hook = next((h for h in runner.hooks if isinstance(h, CheckpointHook)), None)
        if hook is None:
            return None
        path = osp.join(hook.out_dir, f'iter_{done}.pth')
        meta = dict(epoch=runner.epoch, iter=done)
        # Also where the CheckpointHook leaves these out, or nothing could go on from it.
        partial = not (hook.save_optimizer and hook.save_param_scheduler)
        hook.save_optimizer = hook.save_param_scheduler = True
        if not hook.by_epoch:
            path = osp.join(hook.out_dir, hook.filename_tmpl.format(done))
            if partial or getattr(hook, 'last_ckpt', None) != path:
                hook._save_checkpoint_with_step(runner, done, meta)
        else:
            hook._check_folder()
            before = hook.take_stop(runner)
            runner.message_hub.update_info(STOPPED_AT, done)
            runner.save_checkpoint(hook.out_dir, osp.basename(path), meta=meta, by_epoch=False)
        if runner.checkpoint_writer is not None:
            runner.checkpoint_writer.finish()
        if hook.by_epoch and is_main_process():
            with whole_file(osp.join(runner.work_dir, 'last_checkpoint'), 'wb') as file:
                file.write(os.fsencode(path))
            if hook.max_keep_ckpts > 0:
                remove([one for one in before if one != path])
        return path
