"""Train a model from a config, in this process; every process of a distributed job calls it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.dist import is_main_process

from ..errors import ConfigError
from ..registry import made_of_settings
from ..startup import settle
from .binary_checks import check_binary
from .config import load_config
from .config_checks import check_classes, drop_half_parts
from .provenance import explained
from .results import Metrics, Shown
from .setting_checks import check_settings
from .tracking import use_tracking
from .unused_names import unused_names

_AMP_DTYPES = dict(bf16='bfloat16', fp16='float16')


@dataclass(frozen=True)
class TrainResult(Shown):
    """Where a training run ended.

    Attributes:
        work_dir: Folder of logs and checkpoints.
        checkpoint: The newest checkpoint, or None when the config saves none.
        metrics: The last validation's metrics, in percent; empty without validation.
    """

    work_dir: Path
    checkpoint: Path | None
    metrics: Metrics

    def __str__(self) -> str:
        ended = f'Trained: {self.checkpoint or f"no checkpoint in {self.work_dir}"}'
        return f'{self.metrics}\n{ended}' if self.metrics else ended


def train(config: str, *, work_dir: str | None = None, resume: bool | str = False,
          amp: bool | str = False, auto_scale_lr: bool = False, launcher: str = 'none',
          options: dict | None = None, data_root: str | None = None,
          packed: str | None = None, doctor: bool = True,
          track: Sequence[str] = ()) -> TrainResult:
    """Run the training that a config describes.

    Args:
        config: Path or shipped name of the config.
        work_dir: Folder for logs and checkpoints; by default ``work_dirs/<config name>``.
        resume: True goes on from the newest checkpoint of the work directory, and starts as
            configured without one; a path goes on from that checkpoint.
        amp: Mixed precision: 'fp16', with loss scaling, 'bf16', or True for fp16 on CUDA and bf16
            on the CPU.
        auto_scale_lr: Scale the learning rate by real batch size / ``base_batch_size``.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.
        options: Overrides by dotted key, as ``--cfg-options``.
        data_root: Root of every data set.
        packed: Folder from which every data set reads its samples, see `segplug.apis.pack`.
        doctor: Look at some labels first, and stop where they are wrong, see
            `segplug.apis.doctor`.
        track: Where curves and pictures go besides the work directory: 'tensorboard', 'wandb',
            'mlflow' ...; see `segplug.apis.tracking`.

    Raises:
        ConfigError, DataError, CheckpointError: What is wrong, where it is set and what to do.
    """
    from ..engine.checkpoint_files import latest_checkpoint
    from ..engine.runner import Runner
    from ..engine.whole_file import refusals_told
    cfg = load_config(config, options=options, data_root=data_root, packed=packed)
    if work_dir is not None:
        cfg.work_dir = work_dir
    cfg.launcher = launcher
    if track:
        use_tracking(cfg, track)
    if amp:
        _use_amp(cfg, amp)
    if auto_scale_lr:
        _use_auto_scale_lr(cfg)
    if isinstance(resume, str):
        cfg.resume, cfg.load_from = True, resume
    elif resume:
        cfg.resume = 'auto'
    with explained(cfg, options), refusals_told(cfg.work_dir):
        check_settings(cfg)
        check_trainable(cfg)
        check_validation(cfg)
        drop_half_parts(cfg, 'test')
        check_classes(cfg)
        check_binary(cfg)
        settle()
        with made_of_settings('The runner'):
            runner = Runner.from_cfg(cfg)
        for note in unused_names(cfg, options):
            runner.logger.warning(note)
        if doctor:
            _look_at_labels(runner)
        runner.train()
    return TrainResult(Path(runner.work_dir), latest_checkpoint(runner.work_dir),
                       Metrics(last_metrics(runner)))


def _look_at_labels(runner) -> None:
    """The quick check, by the first process; all of them make their data sets for it, as the
    training would a moment later."""
    datasets = dict(train=runner.train_dataloader.dataset)
    if runner.val_loop is not None:
        datasets['val'] = runner.val_dataloader.dataset
    if is_main_process():
        from .examining import quick_check
        quick_check(runner.cfg, datasets)


def check_trainable(cfg) -> None:
    """Raise when a part that training needs is not in the config."""
    for key in ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper'):
        if not cfg.get(key):
            raise ConfigError(f'The config has no {key!r}, which training needs.',
                              culprit=key if key in cfg else None,
                              fix='add it, or a _base_ that holds it')


def check_validation(cfg) -> None:
    """Without ``val_dataloader`` there is no validation; with it, it needs an evaluator."""
    if not cfg.get('val_dataloader'):
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
        return
    if not cfg.get('val_evaluator'):
        raise ConfigError('The config has a val_dataloader but no val_evaluator to score it.',
                          fix="add val_evaluator=dict(type='IoUMetric'), or set "
                              'val_dataloader=None to train without validation')
    if cfg.get('val_cfg') is None:
        cfg.val_cfg = dict()


def _use_amp(cfg, amp: bool | str) -> None:
    if amp not in (True, *_AMP_DTYPES):
        raise ConfigError('amp has an unknown value.', got=repr(amp),
                          expected="'bf16', 'fp16' or True")
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError(f'--amp does not know what to do with optim_wrapper type {kind!r}.',
                          expected='OptimWrapper or AmpOptimWrapper', culprit=kind)
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    if amp is not True:
        cfg.optim_wrapper.dtype = _AMP_DTYPES[amp]


def _use_auto_scale_lr(cfg) -> None:
    if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
        raise ConfigError('--auto-scale-lr needs to know which batch size the learning rate was '
                          'made for.', fix='set auto_scale_lr=dict(base_batch_size=...) in the '
                                           'config')
    cfg.auto_scale_lr.enable = True


def last_metrics(runner) -> dict:
    """The newest value of each metric that validation logged."""
    scalars = runner.message_hub.log_scalars
    return {key.split('/', 1)[1]: float(buffer.current()) for key, buffer in scalars.items()
            if key.startswith('val/') and key not in ('val/time', 'val/data_time')}
