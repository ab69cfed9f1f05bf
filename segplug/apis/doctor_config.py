"""What the doctor says of the config itself, and where in it the data sets stand."""

import inspect
from collections.abc import Iterator

from mmengine.config import Config

from ..datasets.diagnosis import ERROR, WARNING, Finding, Mending
from ..datasets.diagnosis.finding import Place
from ..errors import ConfigError
from ..registry import DATASETS, MODELS, resolve
from .config_checks import (
    check_classes,
    dataset_nodes,
    declared_metainfo,
    heads,
    labels_are_classes,
)

SPLITS = ('train', 'val', 'test')


def dataset_places(cfg: Config, splits=SPLITS) -> Iterator[tuple[str, Place, dict]]:
    """Each (split, place, innermost data-set dict) of a config, wrapped ones too."""
    for loader, place, leaf in dataset_nodes(cfg):
        split = loader.removesuffix('_dataloader')
        if split in splits:
            yield split, Place(place, _loader_number(leaf)), leaf


def _loader_number(leaf: dict) -> int | None:
    """Where in the pipeline LoadAnnotations stands."""
    pipeline = leaf.get('pipeline') or ()
    return next((i for i, step in enumerate(pipeline) if isinstance(step, dict)
                 and str(step.get('type')).endswith('LoadAnnotations')), None)


def unlisted(leaf: dict) -> dict:
    """The config of a data set such that it lists its files later, where its class knows how,
    and keeps them as they are."""
    cls = leaf['type']
    cls = resolve(cls, DATASETS) if isinstance(cls, str) else cls
    known = inspect.signature(cls).parameters
    changes = dict(lazy_init=True, serialize_data=False)
    return {**leaf, **{key: value for key, value in changes.items() if key in known}}


def config_findings(cfg: Config) -> Iterator[Finding]:
    """What does not fit between data sets, heads, metric and preprocessor."""
    if not cfg.get('model'):
        return
    try:
        check_classes(cfg)
    except ConfigError as error:
        yield Finding('num_classes_differs', ERROR, 'model', error.what,
                      'Labels of classes that the network does not have stop training; classes '
                      'that no label has are never learned.', advice=error.fix or '',
                      mending=tuple(_class_counts(cfg)))
    yield from _ignore_indices(cfg)


def _class_counts(cfg: Config) -> Iterator[Mending]:
    """The classes of the data sets in every head, where data sets agree."""
    counts = {len(classes) for _, _, leaf in dataset_places(cfg)
              if (classes := declared_metainfo(leaf).get('classes'))}
    if len(counts) == 1:
        count = counts.pop()
        for place, head in _head_places(cfg):
            if labels_are_classes(head) and head.get('num_classes') not in (None, count):
                yield Mending(place, f'num_classes={count}')


def _head_places(cfg: Config) -> Iterator[tuple[str, dict]]:
    for name in ('decode_head', 'auxiliary_head'):
        found = cfg.model.get(name)
        if isinstance(found, list | tuple):
            yield from ((f'model.{name}.{i}', head) for i, head in enumerate(found)
                        if isinstance(head, dict))
        elif isinstance(found, dict):
            yield f'model.{name}', found


def _ignore_indices(cfg: Config) -> Iterator[Finding]:
    """Heads, metrics and padding that ignore another value than the data set does."""
    wanted = {leaf.get('ignore_index', 255) for _, _, leaf in dataset_places(cfg)}
    if len(wanted) != 1:
        return
    value = wanted.pop()
    evaluators = [(f'{split}_evaluator', cfg.get(f'{split}_evaluator')) for split in SPLITS[1:]]
    for place, node, key in [
            *((place, head, 'ignore_index') for place, head in _head_places(cfg)
              if labels_are_classes(head)),
            *((place, node, 'ignore_index') for place, node in evaluators
              if isinstance(node, dict)),
            (preprocessor_place(cfg), preprocessor(cfg), 'seg_pad_val')]:
        if node and node.get(key, 255) != value:
            yield Finding('ignore_index_differs', WARNING if place.endswith('evaluator') else ERROR,
                          place, f'It has {key}={node.get(key, 255)}, the data sets '
                          f'ignore_index={value}.', 'What the labels ignore counts as a class '
                          'there, or the other way round.',
                          mending=(Mending(place, f'{key}={value}'),))


def preprocessor_place(cfg: Config) -> str:
    """The dotted key of the preprocessor that is used."""
    return 'model.data_preprocessor' if cfg.model.get('data_preprocessor') else 'data_preprocessor'


def preprocessor(cfg: Config) -> dict:
    """The preprocessor's config, or an empty dict."""
    model = cfg.get('model') or {}
    return model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}


def head_classes(cfg: Config) -> int | None:
    """num_classes of the head that decides, for data sets that name no classes."""
    counts = [head.get('num_classes') for _, head in heads(cfg.get('model') or {})
              if labels_are_classes(head)]
    return next((count for count in counts if count), None)


def in_channels(cfg: Config) -> int | None:
    """Channels that the backbone takes, where it says so."""
    backbone = (cfg.get('model') or {}).get('backbone') or {}
    if 'in_channels' in backbone or 'type' not in backbone:
        return backbone.get('in_channels')
    cls = backbone['type']
    cls = resolve(cls, MODELS) if isinstance(cls, str) else cls
    default = inspect.signature(cls).parameters.get('in_channels')
    return default.default if default is not None and isinstance(default.default, int) else None
