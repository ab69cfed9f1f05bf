"""Score a checkpoint on the test set of a config, single-scale or with augmentation."""

import inspect
import logging
from pathlib import Path

from mmengine.logging import print_log

from ..errors import ConfigError
from ..registry import METRICS, resolve
from .config import load_config
from .config_checks import check_classes, drop_half_parts
from .provenance import explained

# The multi-scale test that papers report on Cityscapes: six scales, each with its mirror image.
STANDARD_AUG_TEST = dict(scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True)


def test(config: str, checkpoint: str, *, aug_test: bool = False, out: str | None = None,
         format_only: bool = False, work_dir: str | None = None, launcher: str = 'none',
         options: dict | None = None, data_root: str | None = None) -> dict:
    """Test a checkpoint; returns the metrics, in percent, unrounded.

    Args:
        config: Path or shipped name of the config.
        checkpoint: File, URL or known name of the weights.
        aug_test: Average over the scales and flips of ``aug_test_cfg``, else the standard ones.
        out: Folder for predictions, metrics.json, confusion_matrix.npy and per_image.csv.
        format_only: Only write the benchmark server's files to ``out``; needs no labels.
        work_dir, launcher, options, data_root: As for `segplug.apis.train.train`.

    Raises:
        ConfigError, DataError, CheckpointError: What is wrong, where it is set and what to do.
    """
    from ..engine.runner import Runner
    cfg = load_config(config, options=options, data_root=data_root)
    cfg.work_dir = work_dir or cfg.work_dir
    cfg.launcher = launcher
    cfg.load_from, cfg.resume = checkpoint, False
    if not cfg.get('test_dataloader') or not cfg.get('test_evaluator'):
        raise ConfigError('The config has no test_dataloader and test_evaluator to test with.',
                          fix='add them, or a _base_ that holds them')
    if cfg.get('test_cfg') is None:
        cfg.test_cfg = dict()
    drop_half_parts(cfg, 'train', 'val')
    if aug_test:
        use_aug_test(cfg)
    _set_output(cfg, out, format_only)
    with explained(cfg, options):
        check_classes(cfg)
        return Runner.from_cfg(cfg).test()


def use_aug_test(cfg) -> None:
    """Put the scales and flips of ``aug_test_cfg`` into the model's ``test_cfg``."""
    settings = cfg.get('aug_test_cfg')
    if settings is None:
        settings = STANDARD_AUG_TEST
        print_log(f'The config has no aug_test_cfg; --aug-test uses the standard one: {settings}',
                  'current', logging.WARNING)
    cfg.model.setdefault('test_cfg', {})
    cfg.model.test_cfg.update(settings)


def _set_output(cfg, out: str | None, format_only: bool) -> None:
    if format_only and out is None:
        raise ConfigError('--format-only needs a folder to write to.', fix='add --out DIR')
    if out is None:
        return
    if Path(out).exists() and not Path(out).is_dir():
        raise ConfigError(f'--out {out} is a file.', expected='a folder, existing or not')
    evaluators = cfg.test_evaluator
    evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    writers = [e for e in evaluators if _writes(e.get('type'))]
    if not writers:
        raise ConfigError('No metric of the test_evaluator writes files.', culprit='test_evaluator',
                          got=', '.join(str(e.get('type')) for e in evaluators),
                          fix='add dict(type="IoUMetric"), or leave --out away')
    for evaluator in writers:
        evaluator['format_only'] = format_only
        evaluator['out_dir'] = str(out)


def _writes(metric) -> bool:
    """Whether a metric, a name or a class, takes ``out_dir`` and ``format_only``."""
    cls = resolve(metric, METRICS) if isinstance(metric, str) else metric
    return cls is not None and {'out_dir', 'format_only'} <= set(inspect.signature(cls).parameters)
