"""From ``--dataset``, ``--config`` or ``--classes`` to what is scored, for `segplug.apis.score`."""

import logging
import os

from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from ..datasets import BaseSegDataset
from ..errors import ConfigError, did_you_mean
from ..registry import DATASETS
from .class_names import class_table, named_datasets, short_name
from .config import load_config
from .config_checks import datasets
from .provenance import explained
from .score_values import Labelling

# What scores a label map alone; other metrics of a config want the model's output.
METRICS_HERE = ('IoUMetric', 'BoundaryIoUMetric')


def of_dataset(name: str, ignore_index: int | None = None,
               reduce_zero_label: bool = False) -> Labelling:
    """A registered data set by its name, with or without 'Dataset', in any case.

    Raises:
        ConfigError: There is none of that name.
    """
    known = {short: cls for short, cls in named_datasets().items()
             if isinstance(cls, type) and issubclass(cls, BaseSegDataset)}
    if short_name(name) not in known:
        raise ConfigError(f'There is no data set {name!r}.', expected=', '.join(sorted(known)),
                          fix=did_you_mean(short_name(name), known)
                          or 'say the classes with --classes, or give --config')
    settings = dict(reduce_zero_label=True) if reduce_zero_label else {}
    made = known[short_name(name)](lazy_init=True, test_mode=True, **settings)
    return _of(made, made.__class__.__name__, ignore_index)


def of_config(path: str, ignore_index: int | None = None, reduce_zero_label: bool = False,
              options: dict | None = None) -> tuple[Labelling, list[dict]]:
    """The test set of a config and the settings of its metrics, as ``segplug test`` has them.

    ``options`` are as in `load_config`.

    Returns:
        The labelling, and the dicts of ``test_evaluator`` that score label maps.

    Raises:
        ConfigError: The config has no test set, or something in it is wrong.
    """
    cfg = load_config(path, options=options)
    found = next((leaf for loader, leaf in datasets(cfg) if loader == 'test_dataloader'), None)
    if found is None:
        raise ConfigError(f'The config {path} has no test set.',
                          fix='give test_dataloader a dataset, or use --dataset or --classes')
    if found.get('ann_file'):
        print_log(f'ann_file={found["ann_file"]!r} of the config is not read: --names FILE says '
                  'which labels to score.', 'current', logging.WARNING)
    found = {**found, 'lazy_init': True, 'test_mode': True, 'pipeline': [], 'ann_file': ''}
    if reduce_zero_label:
        found['reduce_zero_label'] = True
    with explained(cfg, options):
        init_default_scope(cfg.default_scope)
        made = DATASETS.build(found)
    evaluators = cfg.get('test_evaluator') or []
    evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    ours = [dict(e) for e in evaluators if e.get('type') in METRICS_HERE]
    for other in (e for e in evaluators if e.get('type') not in METRICS_HERE):
        print_log(f'{other.get("type")} of the test_evaluator does not score files; it is left '
                  'out.', 'current', logging.WARNING)
    if ignore_index is None:
        ignore_index = next((e['ignore_index'] for e in ours if 'ignore_index' in e), None)
    return _of(made, f'{type(made).__name__} of {path}', ignore_index), ours


def of_classes(given: str, ignore_index: int | None = None,
               reduce_zero_label: bool = False) -> Labelling:
    """What ``--classes`` names, see `class_names.class_table`; files hold ids 0 to K - 1.

    Raises:
        ConfigError: It names no classes.
    """
    names = class_table(given)['classes']
    return Labelling('--classes', dict(classes=names),
                     _ignore_index(ignore_index, len(names)), reduce_zero_label)


def _of(dataset: BaseSegDataset, source: str, ignore_index: int | None) -> Labelling:
    """What a data set that has listed no file yet says of its labels."""
    metainfo = dataset.metainfo
    if 'classes' not in metainfo:
        raise ConfigError(f'{source} has no class names.', fix='use --classes')
    known = type(dataset).METAINFO.get('label_ids') or ()
    if ignore_index is None:
        ignore_index = dataset.ignore_index
    images = dataset.data_prefix.get('img_path') or ''
    return Labelling(
        source, metainfo, ignore_index, dataset.reduce_zero_label,
        label_map=dataset.get_label_map(metainfo['classes'], ignore_index=-1),
        known_ids=range(max(known, default=-1) + 1),
        img_suffix=dataset.img_suffix, seg_map_suffix=dataset.seg_map_suffix,
        img_folder=images if os.path.isdir(images) else '')


def _ignore_index(given: int | None, num_classes: int) -> int:
    """255, or the largest 16-bit value where 255 is a class."""
    if given is not None:
        return given
    return 255 if num_classes <= 255 else 65535
