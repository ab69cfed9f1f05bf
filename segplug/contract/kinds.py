"""Which contract a component has: by its registry, and in the registry of models by its class."""

import inspect
from dataclasses import dataclass, fields
from typing import Any

from mmengine.model import BaseModel

from ..errors import ConfigError, did_you_mean
from ..models.decode_heads import BaseDecodeHead
from ..models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from . import (
    backbones,
    datasets,
    generic,
    heads,
    losses,
    metrics,
    necks,
    running,
    segmentors,
    training,
    transforms,
)
from .case import Case, Check


@dataclass(frozen=True)
class Kind:
    """A kind of component: its `Case`, its checks, and whether a copy of it means anything."""

    case: type[Case]
    checks: list[Check]
    copies: bool = True

    @property
    def all_checks(self) -> list[Check]:
        """Those of every component, then its own."""
        return [c for c in generic.CHECKS if self.copies or c.name != 'copies'] + self.checks


KINDS = {
    'backbone': Kind(backbones.BackboneCase, backbones.CHECKS),
    'neck': Kind(necks.NeckCase, necks.CHECKS),
    'head': Kind(heads.HeadCase, heads.CHECKS),
    'loss': Kind(losses.LossCase, losses.CHECKS),
    'segmentor': Kind(segmentors.SegmentorCase, segmentors.CHECKS),
    'data set': Kind(datasets.DatasetCase, datasets.CHECKS, copies=False),  # needs a tree
    'transform': Kind(transforms.TransformCase, transforms.CHECKS),
    'metric': Kind(metrics.MetricCase, metrics.CHECKS),
    'hook': Kind(running.HookCase, running.HOOK_CHECKS),
    'sampler': Kind(running.SamplerCase, running.SAMPLER_CHECKS, copies=False),
    'visualizer': Kind(running.VisualizerCase, running.VISUALIZER_CHECKS, copies=False),
    'visualizer backend': Kind(running.BackendCase, running.BACKEND_CHECKS, copies=False),
    'optimizer': Kind(training.OptimizerCase, training.OPTIMIZER_CHECKS, copies=False),
    'optimizer wrapper': Kind(training.WrapperCase, training.WRAPPER_CHECKS, copies=False),
    'optimizer constructor': Kind(training.ConstructorCase, training.CONSTRUCTOR_CHECKS,
                                  copies=False),
    'schedule': Kind(training.SchedulerCase, training.SCHEDULER_CHECKS, copies=False),
}
# What is registered there has no contract of its own.
NO_CONTRACT = 'other'
OF_REGISTRY = {
    'DATASETS': 'data set', 'TRANSFORMS': 'transform', 'METRICS': 'metric', 'HOOKS': 'hook',
    'DATA_SAMPLERS': 'sampler', 'VISUALIZERS': 'visualizer', 'VISBACKENDS': 'visualizer backend',
    'OPTIMIZERS': 'optimizer', 'OPTIM_WRAPPERS': 'optimizer wrapper',
    'OPTIM_WRAPPER_CONSTRUCTORS': 'optimizer constructor', 'PARAM_SCHEDULERS': 'schedule',
}
_FOLDERS = {'backbones': 'backbone', 'necks': 'neck', 'decode_heads': 'head', 'heads': 'head',
            'losses': 'loss', 'segmentors': 'segmentor', 'backbone': 'backbone', 'neck': 'neck',
            'decode_head': 'head', 'head': 'head', 'loss': 'loss', 'segmentor': 'segmentor'}
_ENDS = {'head': 'head', 'decoder': 'head', 'loss': 'loss', 'criterion': 'loss', 'neck': 'neck',
         'fpn': 'neck', 'pyramid': 'neck', 'backbone': 'backbone', 'encoder': 'backbone',
         'net': 'backbone', 'transformer': 'backbone', 'segmentor': 'segmentor'}
_TARGETS = {'target', 'targets', 'label', 'labels', 'gt', 'seg_label'}


def kind_of(registry: str, cls: type) -> str | None:
    """A key of `KINDS`, `NO_CONTRACT`, or None for a model of which it cannot be told."""
    if registry != 'MODELS':
        return OF_REGISTRY.get(registry, NO_CONTRACT)
    if isinstance(cls, type):
        if issubclass(cls, BaseDecodeHead):
            return 'head'
        if issubclass(cls, BaseModel):
            return 'segmentor'
    name = getattr(cls, '__name__', '').lower()
    places = [_FOLDERS[part] for part in cls.__module__.split('.') if part in _FOLDERS]
    by_end = [kind for end, kind in _ENDS.items() if name.endswith(end)]
    by_part = [kind for kind in ('head', 'loss') if kind in name]
    return next(iter([*by_end, *places[::-1], *_by_methods(cls), *by_part]), None)


def _by_methods(cls: type) -> list[str]:
    """'head' for what has losses and predictions, 'loss' for what is called with a target."""
    if hasattr(cls, 'loss_by_feat') or (hasattr(cls, 'loss') and hasattr(cls, 'predict')):
        return ['head']
    try:
        called_with = list(inspect.signature(cls.forward).parameters)[2:3]
    except (AttributeError, TypeError, ValueError):
        return []
    return ['loss'] if hasattr(cls, 'loss_name') or set(called_with) & _TARGETS else []


def make_case(kind: str, settings: dict, registry: Any, facts: dict) -> Case:
    """The case of a component; ``facts`` are attributes of its `Case`, as a row says them.

    Raises:
        ConfigError: ``facts`` holds what its kind does not have.
    """
    cls = KINDS[kind].case if kind in KINDS else Case
    known = {field.name for field in fields(cls)} - {'settings', 'registry', 'strict'}
    for key in facts:
        if key not in known:
            raise ConfigError(f'The contract of a {kind} has no {key!r}.', culprit=key,
                              expected=f'skip, kind, {", ".join(sorted(known))}'.rstrip(', '),
                              fix=did_you_mean(key, known))
    facts = {**_levels(cls, settings), **facts}
    if issubclass(cls, heads.HeadCase) and 'cascaded' not in facts:
        kind_class = settings['type']
        found = registry.get(kind_class) if isinstance(kind_class, str) else kind_class
        facts['cascaded'] = isinstance(found, type) and issubclass(found, BaseCascadeDecodeHead)
    return cls(settings, registry, **facts)


def _levels(cls: type[Case], settings: dict) -> dict:
    """The levels that a head or neck of these settings takes: 2, 4, 8 ... of stride."""
    channels = settings.get('in_channels')
    if channels is None or not issubclass(cls, (heads.HeadCase, necks.NeckCase)):
        return {}
    channels = list(channels) if isinstance(channels, (list, tuple)) else [channels]
    index = settings.get('in_index', list(range(len(channels))) if len(channels) > 1 else -1)
    index = list(index) if isinstance(index, (list, tuple)) else [index]
    if issubclass(cls, necks.NeckCase):
        index = list(range(len(channels)))
    count = max(max(index) + 1, -min(index), 1)
    levels = [4] * count
    for place, number in zip(index, channels, strict=False):
        levels[place] = number
    first = 1 if issubclass(cls, heads.HeadCase) else 2
    return dict(levels=tuple((c, 2 ** (first + i)) for i, c in enumerate(levels)))
