"""Score a checkpoint on the test set of a config, single-scale or with augmentation."""

import inspect
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigError
from ..registry import METRICS, made_of_settings, resolve
from ..startup import settle
from . import run_record
from .binary_checks import check_binary
from .checkpoints import use_load_cfg
from .config import load_config
from .config_checks import check_classes, drop_half_parts
from .provenance import explained
from .results import Metrics
from .setting_checks import check_settings
from .unused_names import unused_names

# The multi-scale test that papers report on Cityscapes: six scales, each with its mirror image.
STANDARD_AUG_TEST = dict(scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True)


def test(config: str, checkpoint: str, *, aug_test: bool = False, out: str | None = None,
         format_only: bool = False, worst: int | None = None, speed: dict | None = None,
         load: dict | None = None,
         work_dir: str | None = None, launcher: str = 'none', options: dict | None = None,
         data_root: str | None = None, packed: str | None = None,
         command: Sequence[str] | None = None) -> Metrics:
    """Test a checkpoint; returns the metrics, in percent, unrounded.

    Args:
        config: Path or shipped name of the config.
        checkpoint: File, URL or known name of the weights.
        aug_test: Average over the scales and flips of ``aug_test_cfg``, else the standard ones.
        out: Folder for predictions, metrics.json, confusion_matrix.npy and per_image.csv, and
            run.json, which says what was tested with what.
        format_only: Only write the benchmark server's files to ``out``; needs no labels.
        worst: How many images of lowest mIoU to name in the log.
        speed: Added to the config's ``speed``: amp ('bf16', 'fp16' or True), channels_last,
            compile.
        load: Added to the config's ``load_cfg``: floor, ema, key, key_map ..., see
            `segplug.engine.loading.LoadCfg`.
        work_dir, launcher, options, data_root, packed: As for `segplug.apis.train`.
        command: The words that were typed, for run.json.

    Raises:
        ConfigError, DataError, CheckpointError: What is wrong, where it is set and what to do.
    """
    from mmengine.dist import is_main_process

    from ..engine.runner import Runner
    from ..engine.whole_file import refusals_told
    cfg = load_config(config, options=options, data_root=data_root, packed=packed)
    cfg.work_dir = work_dir or cfg.work_dir
    cfg.launcher = launcher
    cfg.load_from, cfg.resume = checkpoint, False
    if not cfg.get('test_dataloader') or not cfg.get('test_evaluator'):
        raise ConfigError('The config has no test_dataloader and test_evaluator to test with.',
                          fix='add them, or a _base_ that holds them')
    if cfg.get('test_cfg') is None:
        cfg.test_cfg = dict()
    drop_half_parts(cfg, 'train', 'val')
    note = use_aug_test(cfg) if aug_test else None
    use_speed(cfg, speed)
    use_load_cfg(cfg, load)
    _set_output(cfg, out, format_only)
    if worst is not None:
        for evaluator in _metrics_with(cfg, '--worst', 'names images', 'num_worst'):
            evaluator['num_worst'] = worst
    with explained(cfg, options), refusals_told(out or cfg.work_dir):
        check_settings(cfg)
        check_classes(cfg)
        check_binary(cfg)
        settle()
        with made_of_settings('The runner'):
            runner = Runner.from_cfg(cfg)
        for said in filter(None, (note, *unused_names(cfg, options))):
            runner.logger.warning(said)
        metrics = Metrics.of(runner.test(), runner.test_evaluator.metrics)
        if out is not None and not format_only and is_main_process():
            run_record.write(out, **run_record.of_test(runner, config, checkpoint, command))
        return metrics


def use_aug_test(cfg) -> str | None:
    """Put the scales and flips of ``aug_test_cfg`` into the model's ``test_cfg``.

    Returns:
        What to tell the user, if the config has none and the standard one is taken.
    """
    settings = cfg.get('aug_test_cfg')
    cfg.model.setdefault('test_cfg', {})
    cfg.model.test_cfg.update(STANDARD_AUG_TEST if settings is None else settings)
    if settings is None:
        return ('The config has no aug_test_cfg; --aug-test uses the standard one: '
                f'{STANDARD_AUG_TEST}')
    return None


def use_speed(cfg, speed: dict | None) -> None:
    """Add settings to the config's ``speed``."""
    if speed:
        cfg.speed = {**(cfg.get('speed') or {}), **speed}


def _set_output(cfg, out: str | None, format_only: bool) -> None:
    if format_only and out is None:
        raise ConfigError('--format-only needs a folder to write to.', fix='add --out DIR')
    if out is None:
        return
    if Path(out).exists() and not Path(out).is_dir():
        raise ConfigError(f'--out {out} is a file.', expected='a folder, existing or not')
    for evaluator in _metrics_with(cfg, '--out', 'writes files', 'out_dir', 'format_only'):
        evaluator['format_only'] = format_only
        evaluator['out_dir'] = str(out)


def _metrics_with(cfg, flag: str, does: str, *names: str) -> list[dict]:
    """The metrics of the test whose constructors take ``names``, which ``flag`` sets."""
    evaluators = cfg.test_evaluator
    evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    found = [e for e in evaluators if _takes(e.get('type'), names)]
    if not found:
        raise ConfigError(f'No metric of the test_evaluator {does}.', culprit='test_evaluator',
                          got=', '.join(str(e.get('type')) for e in evaluators),
                          fix=f'add dict(type="IoUMetric"), or leave {flag} away')
    return found


def _takes(metric, names: tuple[str, ...]) -> bool:
    """Whether the constructor of a metric, a name or a class, has these arguments."""
    cls = resolve(metric, METRICS) if isinstance(metric, str) else metric
    return cls is not None and set(names) <= set(inspect.signature(cls).parameters)
