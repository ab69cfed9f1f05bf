"""What predicting and testing say of a checkpoint: how it is read, and which classes it knows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from ..datasets.classes import find_table
from ..engine.class_names import classes_of
from ..errors import CheckpointError, ConfigError, did_you_mean
from ..registry import DATASETS
from .config_checks import datasets, declared_metainfo


def use_load_cfg(cfg, given: Mapping | None) -> None:
    """Add settings, as flags give them, to the config's ``load_cfg``."""
    if given:
        cfg.load_cfg = {**(cfg.get('load_cfg') or {}), **given}


def classes_for(model: nn.Module, saved: Mapping, cfg, source,
                given: str | Sequence[str] | None = None) -> tuple[Sequence[str], list | None]:
    """Names and colours: those given, else the checkpoint's, else those of the config's test set.

    Args:
        model: The segmentor; its head has as many classes.
        saved: The checkpoint.
        cfg: The config.
        source: The checkpoint's name.
        given: See `table_of`.

    Raises:
        CheckpointError: Nothing says what they are; or they are not as many as the head's.
    """
    told = {'--classes': table_of(given) if given else {}, str(source): classes_of(saved),
            'The test data set': declared_metainfo(test_dataset(cfg))}
    for teller, known in told.items():
        if known.get('classes'):
            names, palette = known['classes'], known.get('palette')
            _check_count(model, names, teller)
            return names, palette if palette is not None and len(palette) == len(names) else None
    raise CheckpointError(f'Neither {source} nor the config says what the classes are.',
                          fix='give --classes (in Python classes=) with a data set, a file of '
                              'names, or the names; or give the test data set '
                              'metainfo=dict(classes=..., palette=...)')


def table_of(given: str | Sequence[str]) -> dict:
    """``classes``, and ``palette`` where it is known.

    Args:
        given: The names; or a data set ('CityscapesDataset' or 'cityscapes'), a file of names
            (see `segplug.datasets.classes`), or names with commas between.

    Raises:
        ConfigError: It is neither.
    """
    if not isinstance(given, str):
        return dict(classes=tuple(given), palette=None)
    if Path(given).suffix and Path(given).is_file():
        return find_table(given, ('',))
    known = {name.lower().removesuffix('dataset'): cls.METAINFO
             for name, cls in DATASETS.module_dict.items() if 'classes' in getattr(
                 cls, 'METAINFO', {})}
    if (name := given.lower().removesuffix('dataset')) in known:
        return dict(known[name])
    names = tuple(part.strip() for part in given.split(','))
    if len(names) > 1 and all(names) and len(set(names)) == len(names):
        return dict(classes=names, palette=None)
    raise ConfigError(f'{given!r} does not say what the classes are.', culprit=given,
                      expected='a data set, a file of names, or names with commas between',
                      fix=did_you_mean(name, known))


def test_dataset(cfg) -> dict:
    """The innermost data set of the test loader; empty when the config has none."""
    return next((leaf for loader, leaf in datasets(cfg) if loader == 'test_dataloader'), {})


def _check_count(model: nn.Module, names: Sequence[str], teller: str) -> None:
    head = getattr(model, 'decode_head', None)
    head = head[-1] if isinstance(head, nn.ModuleList) else head
    count = getattr(head, 'num_classes', None)
    if count is not None and count != len(names) and (count, len(names)) != (1, 2):
        raise CheckpointError(
            f'{teller} names {len(names)} classes, the model has {count}.', culprit=teller,
            got=', '.join(names[:6]) + (' ...' if len(names) > 6 else ''),
            fix=f'name {count} by --classes, or set num_classes of the heads')
