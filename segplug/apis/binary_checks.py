"""Two classes: one output with a sigmoid, or two with a softmax, and nothing in between.

What is said here before anything is built would otherwise show as a loss of zero, as classes
that never appear, or as an error deep inside the first step.
"""

import inspect
from collections.abc import Iterator

from mmengine.config import Config

from ..errors import ConfigError
from ..registry import MODELS, resolve
from .config_checks import datasets, declared_metainfo, heads, labels_are_classes

ONE_OUTPUT = "num_classes=2, out_channels=1, threshold=0.5, " \
    "loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)"
TWO_OUTPUTS = "num_classes=2, loss_decode=dict(type='CrossEntropyLoss')"
_WAYS = f'for one output with a sigmoid, {ONE_OUTPUT}; for two with a softmax, {TWO_OUTPUTS}'
# Losses that compare classes with each other, and the setting with which they do not.
_COMPARING = {'CrossEntropyLoss': dict(use_sigmoid=True), 'LovaszLoss': dict(loss_type='binary'),
              'OhemCrossEntropy': None, 'KLDivLoss': None, 'HuasdorffDisstanceLoss': None}


def check_binary(cfg: Config) -> None:
    """Raise where heads, losses and classes mix the two ways.

    Raises:
        ConfigError: With the lines of config of both ways.
    """
    of_classes = [(name, head) for name, head in heads(cfg.model) if labels_are_classes(head)]
    for name, head in of_classes:
        _check_head(name, head)
    for loader, dataset in datasets(cfg) if of_classes else ():
        classes = declared_metainfo(dataset).get('classes')
        if classes is not None and len(classes) == 1:
            raise ConfigError(
                f'The data set of {loader} has one class, so that there is nothing to tell '
                'apart.', got=f'classes={tuple(classes)}', culprit='classes',
                fix=f"name what is around it: metainfo=dict(classes=('background', "
                    f'{classes[0]!r})), and {_WAYS}')


def _check_head(name: str, head: dict) -> None:
    count = head.get('num_classes')
    outputs = head.get('out_channels') or count
    if outputs is None:
        return
    if outputs != 1 and head.get('threshold') is not None:
        raise ConfigError(
            f'{name} sets a threshold, which only a single output has.', culprit='threshold',
            got=f'threshold={head["threshold"]} with {outputs} outputs',
            fix='remove it' + (f'; or, {_WAYS}' if count == 2 else ''))
    for loss in _losses(head):
        kind = _name(loss)
        if outputs == 1 and kind in _COMPARING and not _is_set(loss, _COMPARING[kind]):
            raise ConfigError(
                f'{name} has one output, and {kind} compares outputs with each other.',
                got=f'{dict(loss)}', culprit='out_channels' if head.get('out_channels') else
                'num_classes', fix=_WAYS)
        if outputs == 2 and kind == 'CrossEntropyLoss' and loss.get('use_sigmoid'):
            raise ConfigError(
                f'{name} has two outputs, of which the larger one counts, and a loss that takes '
                'each by itself.', got=f'{dict(loss)}', culprit='use_sigmoid', fix=_WAYS)


def _losses(head: dict) -> Iterator[dict]:
    """The losses of a head's config, or its class's own."""
    found = head.get('loss_decode')
    if found is None:
        cls = _class(head)
        parameter = cls and inspect.signature(cls).parameters.get('loss_decode')
        found = () if parameter is None or parameter.default is parameter.empty \
            else parameter.default
    for loss in found if isinstance(found, (list, tuple)) else [found]:
        if isinstance(loss, dict):
            yield loss


def _is_set(loss: dict, wanted: dict | None) -> bool:
    return wanted is not None and all(loss.get(k) == v for k, v in wanted.items())


def _class(cfg: dict) -> type | None:
    kind = cfg.get('type')
    return resolve(kind, MODELS) if isinstance(kind, str) else kind


def _name(loss: dict) -> str:
    kind = loss.get('type')
    return kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', '')
