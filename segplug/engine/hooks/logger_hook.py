"""The hook that hands values to the visualizer, with the iteration of each, in validations too."""

from mmengine.hooks import LoggerHook as _Upstream

from ...registry import HOOKS

# What a line of validation has in common with one of training: one name would be one curve.
_SHARED = ('time', 'data_time')


@HOOKS.register_module()
class LoggerHook(_Upstream):
    """mmengine's, where a validation stands at its iteration, and its times are called 'val/time'.

    mmengine 0.10.7 puts the metrics of a validation at the number of the epoch unless told
    otherwise, so that in TensorBoard they lie at the left end of the training's curves, and writes
    the times of validations and iterations into one curve. Test:
    ``test_mmengine_puts_metrics_at_the_epoch``.

    Args:
        interval, ignore_last, interval_exp_name, out_dir, out_suffix, keep_local,
            file_client_args, backend_args: As in mmengine.
        log_metric_by_epoch: True puts metrics at the number of the epoch.
    """

    def __init__(self, interval: int = 10, ignore_last: bool = True, interval_exp_name: int = 1000,
                 out_dir=None, out_suffix=('.json', '.log', '.py', 'yaml'),
                 keep_local: bool = True, file_client_args: dict | None = None,
                 log_metric_by_epoch: bool = False, backend_args: dict | None = None) -> None:
        super().__init__(interval, ignore_last, interval_exp_name, out_dir, out_suffix, keep_local,
                         file_client_args, log_metric_by_epoch, backend_args)

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Log the metrics of a validation."""
        tag, line = runner.log_processor.get_log_after_epoch(
            runner, len(runner.val_dataloader), 'val')
        runner.logger.info(line)
        tag = {f'val/{name}' if name in _SHARED else name: value for name, value in tag.items()}
        training = runner._train_loop is not None and not isinstance(runner._train_loop, dict)
        step = (runner.epoch if self.log_metric_by_epoch else runner.iter) if training else 0
        runner.visualizer.add_scalars(tag, step=step, file_path=self.json_log_path)
