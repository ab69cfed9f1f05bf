"""What predicting and testing say of a checkpoint: how it is read, and which classes it knows."""

from collections.abc import Mapping, Sequence

from torch import nn

from ..engine.class_names import classes_of
from ..errors import CheckpointError
from .class_names import class_table
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
        given: See `class_names.class_table`.

    Raises:
        CheckpointError: Nothing says what they are; or they are not as many as the head's.
    """
    told = {'--classes': class_table(given) if given else {}, str(source): classes_of(saved),
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
