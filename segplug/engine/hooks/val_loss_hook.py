"""The loss of the validation set, per head, in the log; mmengine logs that of the training only."""

import math
from collections.abc import Sequence

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from ...registry import HOOKS

PREFIX = 'val/'


@HOOKS.register_module()
class ValLossHook(Hook):
    """Adds 'val/loss' and each 'val/decode.loss_ce', 'val/aux.loss_ce' ... to the metrics.

    Each is the mean over images of the image's own loss, which `models.val_loss` defines, every
    image once and without those that have no labelled pixel; nan if none has any. The sums are
    exact, so the number of processes does not show. In effect where the segmentor knows
    ``with_val_losses``; ``default_hooks=dict(val_loss=None)`` turns it off.
    """

    # Before the hook that hands the metrics to the log, which is VERY_HIGH.
    priority = 'HIGHEST'

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []

    def before_val_epoch(self, runner) -> None:
        """Ask the segmentor for losses; forget the last validation's.

        A value that stays would be shown as this one's until its end, and then averaged with it.
        """
        self.rows = []
        for name in [k for k in runner.message_hub.log_scalars if k.startswith(f'val/{PREFIX}')]:
            runner.message_hub.log_scalars.pop(name)
        model = _unwrapped(runner)
        if hasattr(model, 'with_val_losses'):
            model.with_val_losses = True
        else:
            runner.logger.info(f'{type(model).__name__} has no with_val_losses: the validation '
                               'logs no loss.')

    def after_val_iter(self, runner, batch_idx: int, data_batch=None,
                       outputs: Sequence | None = None) -> None:
        """Keep the losses of a batch."""
        for sample in outputs or ():
            losses = getattr(sample, 'losses', None)
            if losses is not None:
                self.rows.append((int(sample.metainfo.get('sample_idx', -1)), losses))

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Join all processes and add the means to ``metrics``."""
        model = _unwrapped(runner)
        if hasattr(model, 'with_val_losses'):
            model.with_val_losses = False
        rows = [row for part in all_gather_object(self.rows) for row in part]
        self.rows = []
        if metrics is not None:
            metrics.update({f'{PREFIX}{name}': value for name, value in means(rows).items()})


def means(rows: Sequence[tuple[int, dict[str, float]]]) -> dict[str, float]:
    """(sample index or -1, losses of the image or nothing) -> the mean of each loss over images.

    An index that comes again, as a sampler that pads repeats it, counts once.
    """
    again = {index: losses for index, losses in rows if index >= 0}
    images = [*again.values(), *(losses for index, losses in rows if index < 0)]
    labelled = [losses for losses in images if losses]
    names = dict.fromkeys(name for losses in labelled for name in losses)
    if images and not labelled:
        return {'loss': math.nan}
    return {name: math.fsum(values) / len(values) for name in names
            if (values := [losses[name] for losses in labelled if name in losses])}


def _unwrapped(runner):
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
