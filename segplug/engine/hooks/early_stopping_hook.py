"""Early stopping that a resumed run takes up where it was: mmengine's hook counts anew."""

from mmengine.hooks import EarlyStoppingHook as _UpstreamEarlyStoppingHook

from ...registry import HOOKS

_KEY = 'early_stopping'  # in the message hub, and so in checkpoints


@HOOKS.register_module()
class EarlyStoppingHook(_UpstreamEarlyStoppingHook):
    """mmengine's hook, with its arguments; best score and count are part of a checkpoint.

    A run that it has ended is not trained on when it is resumed, unless ``patience`` or
    ``stopping_threshold`` has changed.
    """

    # Before the hook that writes the checkpoint of a validation again (VERY_LOW), not after all.
    priority = 'LOW'
    follows_validation = True

    def before_train(self, runner) -> None:
        """Go on from what the resumed checkpoint says."""
        known = runner.message_hub.runtime_info.get(_KEY, {}).get(self.monitor)
        if runner.iter == 0 or known is None:
            return
        self.wait_count, self.best_score = known['wait_count'], known['best_score']
        if known['ended_by'] == self._settings():
            runner.train_loop.stop_training = True
            runner.logger.info(
                f'EarlyStoppingHook has ended this run already, with {self.monitor} = '
                f'{self.best_score:.4g} at best: nothing is left to train. With a larger patience '
                'it goes on.')

    def after_val_epoch(self, runner, metrics: dict) -> None:
        """mmengine's decision; what it rests on goes to the message hub."""
        super().after_val_epoch(runner, metrics)
        hub, ended = runner.message_hub, runner.train_loop.stop_training
        mine = dict(wait_count=self.wait_count, best_score=float(self.best_score),
                    ended_by=self._settings() if ended else None)
        hub.update_info(_KEY, {**hub.runtime_info.get(_KEY, {}), self.monitor: mine})

    def _settings(self) -> list:
        return [self.patience, self.stopping_threshold]
