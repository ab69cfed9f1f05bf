"""What a run takes from the checkpoint that it goes on from, beside the weights."""

import os

from . import accumulation, sampling, state
from .foreign_state import check_optimizers, check_schedulers


def restore_run(runner, filename: str | os.PathLike, checkpoint: dict, with_optimizer: bool = True,
                with_schedulers: bool = True) -> None:
    """Set place, seed, log, optimizer, gradients and schedules of ``runner`` as they were.

    Args:
        runner: Whose loop is built, and whose weights are loaded.
        filename: Of the checkpoint, for messages.
        checkpoint: As `Runner.save_checkpoint` or mmengine wrote it, read as plain data.
        with_optimizer: Whether the optimizer is taken up too.
        with_schedulers: Whether the schedules are.
    """
    meta = checkpoint['meta']
    runner.train_loop._epoch, runner.train_loop._iter = int(meta['epoch']), int(meta['iter'])
    if runner.iter >= runner.max_iters:
        runner.logger.warning(
            f'{filename} is of iteration {runner.iter}, and the run has {runner.max_iters}: '
            'nothing is left to train. A larger train_cfg.max_iters, or max_epochs, goes on.')
    _restore_seed(runner, meta.get('seed'))
    if meta.get('dataset_meta') != state.dataset_meta(
            getattr(runner.train_dataloader.dataset, 'metainfo', None)):
        runner.logger.warning(f'{filename} was trained on a data set with other metainfo.')
    state.load_hub_state(runner.message_hub, checkpoint.get('message_hub') or {})
    if with_optimizer:
        _restore_optimizer(runner, checkpoint)
    if with_schedulers and runner.param_schedulers is not None:
        _restore_schedulers(runner, checkpoint.get('param_schedulers', []))


def _restore_seed(runner, seed: int | None) -> None:
    # Of rank 0; with ``diff_rank_seed`` each rank adds its number, all share order and draws.
    own = runner.rank if runner._randomness_cfg.get('diff_rank_seed') else 0
    before = runner.seed - own
    if seed is None or seed == before:
        return
    if runner._randomness_cfg.get('seed') is not None:
        runner.logger.warning(f'The run goes on with the seed {seed} of its checkpoint, not '
                              f'with {runner._randomness_cfg["seed"]} of the config.')
    runner._randomness_cfg.update(seed=seed)
    runner.set_randomness(**runner._randomness_cfg)
    sampling.reseed(runner.train_dataloader, before, seed)


def _restore_optimizer(runner, checkpoint: dict) -> None:
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper.load_state_dict(checkpoint['optimizer'])
    check_optimizers(runner.optim_wrapper)
    accumulation.restore_counts(runner.optim_wrapper, checkpoint.get('batches') or {})
    if gradients := checkpoint.get('gradients'):
        accumulation.restore(runner._unwrapped(), gradients)
        runner.logger.addFilter(accumulation.not_lost)


def _restore_schedulers(runner, saved) -> None:
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    for sentence in state.schedule_changes(runner.param_schedulers, saved):
        runner.logger.warning(sentence)
    state.load_schedulers_state(runner.param_schedulers, saved)
    check_schedulers(runner.param_schedulers)
