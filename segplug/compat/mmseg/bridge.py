"""What segplug's own classes learn while mmsegmentation's names are lent.

Third-party code calls and overrides methods that mmsegmentation's classes have and segplug's do
without, and expects logits at the size of the input where segplug keeps them small. So, while the
names are lent, segplug's classes have those methods, too. segplug's own test does not change: it
marks what it tells a head of an image (`KEEPS_SIZE`), and a model is tested mmsegmentation's way
only where a class from elsewhere overrides a step of it.

And code that catches what mmsegmentation raises for a wrong setting or shape, an AssertionError
mostly, catches segplug's errors: while the names are lent, they are of those kinds, too.
"""

from collections.abc import Callable
from dataclasses import fields

import torch
from mmengine.config import Config
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.registry import Registry
from mmengine.runner import Runner

from ... import registry as ours
from ...datasets.transforms import LoadAnnotations
from ...engine import Runner as OurRunner
from ...errors import SegplugError
from ...models import SegDataPreProcessor, val_loss
from ...models.decode_heads import BaseDecodeHead
from ...models.segmentors import EncoderDecoder
from ...models.tta_cfg import TestCfg
from ...ops.resize import resize
from ...structures import SegDataSample
from ...visualization import SegLocalVisualizer
from . import visualization
from .citys_metric import CityscapesMetric
from .depth_metric import DepthMetric
from .names import MODULES
from .segmentor import InferenceSteps, logits_size
from .silog_loss import SiLogLoss
from .tta import SegTTAModel

SCOPE = 'mmseg'
# Key of what segplug's own test tells a head of an image: logits may keep their size.
KEEPS_SIZE = 'logits_keep_their_size'
# The steps of a test; a class from elsewhere that has one of its own is tested by these steps.
STEPS = ('forward', 'predict', 'inference', 'whole_inference', 'slide_inference', 'encode_decode',
         'postprocess_result')
# What mmsegmentation raises where segplug has a SegplugError.
KINDS = (ValueError, AssertionError, TypeError, KeyError)

_BUILT_IN = {'__bases__': SegplugError.__bases__, **{name: vars(cls)[name] for cls, names in (
    (EncoderDecoder, ('predict', 'encode_decode', 'test_step')),
    (BaseDecodeHead, ('predict_by_feat', 'test_keys')),
    (LoadAnnotations, ('transform',)), (SegLocalVisualizer, ('_draw',)),
    (Runner, ('from_cfg',)), (val_loss, ('metas',))) for name in names}}


def is_ours(cls: type, *names: str) -> bool:
    """Whether ``cls`` has all these methods from segplug."""
    return all(getattr(cls, name).__module__.split('.')[0] == ours.SCOPE for name in names)


def marked_metas(x: torch.Tensor) -> list[dict]:
    """`segplug.models.val_loss.metas`, marked."""
    return [{**meta, KEEPS_SIZE: True} for meta in _BUILT_IN['metas'](x)]


def predict_by_feat(self, seg_logits: torch.Tensor, batch_img_metas: list[dict]) -> torch.Tensor:
    """Logits (N, K, h, w) -> (N, K, H, W), the size of what went into the network."""
    meta = batch_img_metas[0]
    if meta.get(KEEPS_SIZE, not meta) and is_ours(type(self), 'predict', 'predict_by_feat'):
        return seg_logits
    return resize(seg_logits, logits_size(meta), mode='bilinear',
                  align_corners=self.align_corners)


class _OwnKeys:
    """The keys of a ``test_cfg`` that a third-party head may read: all but segplug's."""

    def __contains__(self, key: str) -> bool:
        return key not in {field.name for field in fields(TestCfg)}


def test_keys(self):
    """See `BaseDecodeHead`; what a head from elsewhere reads is not known."""
    return () if is_ours(type(self), '__init__', 'forward') else _OwnKeys()


def encode_decode(self, inputs: torch.Tensor, batch_img_metas: list[dict]) -> torch.Tensor:
    """(N, C, H, W) -> logits (N, K, H, W)."""
    size = tuple(inputs.shape[2:])  # of a window, where it slides
    small = [{**meta, 'img_shape': size, 'pad_shape': size, KEEPS_SIZE: True}
             for meta in batch_img_metas]
    logits = _BUILT_IN['encode_decode'](self, inputs, small)
    if batch_img_metas[0].get(KEEPS_SIZE):
        return logits
    return resize(logits, logits_size(batch_img_metas[0]), mode='bilinear',
                  align_corners=self.align_corners)


def predict(self, inputs: torch.Tensor,
            data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
    """A normalised, padded batch -> its samples with ``seg_logits`` and ``pred_sem_seg``."""
    if self.tta_cfg.num_augs > 1 and is_ours(type(self), *STEPS):
        return _BUILT_IN['predict'](self, inputs, data_samples)
    size = tuple(inputs.shape[2:])
    metas = ([dict(sample.metainfo) for sample in data_samples] if data_samples else
             [dict(ori_shape=size, img_shape=size, pad_shape=size, padding_size=[0] * 4)
              for _ in inputs])
    return self.postprocess_result(self.inference(inputs, metas), data_samples)


@torch.no_grad()
def test_step(self, data: dict) -> list[SegDataSample]:
    """A batch from the loader -> its samples with predictions."""
    # A head that decides what is predicted may read all that is known of an image.
    if is_ours(type(self), *STEPS) and is_ours(type(self.main_head), 'predict',
                                               'predict_by_feat'):
        return _BUILT_IN['test_step'](self, data)
    return BaseModel.test_step(self, data)


def cast_data(self, data):
    """To the device, with label maps int64 as mmsegmentation's are. segplug's travel as uint8, in
    which a third party's sums overflow and losses fail."""
    data = BaseDataPreprocessor.cast_data(self, data)
    if isinstance(data, SegDataSample):
        for name in ('gt_sem_seg', 'gt_edge_map'):
            if name in data and not data.get(name).data.is_floating_point():
                data.get(name).data = data.get(name).data.long()
    return data


def load_seg_map(self, results: dict) -> None:
    """Put the label into ``results``; what a class that loads its own overrides."""
    _BUILT_IN['transform'](self, results)


def load_annotations(self, results: dict) -> dict:
    """``results`` with the label."""
    self._load_seg_map(results)
    return results


def _drop_without_effect(cfg: Config) -> None:
    """Take out what mmsegmentation's test script sets and its IoUMetric has no use for."""
    for evaluator in (cfg.get('val_evaluator'), cfg.get('test_evaluator')):
        for metric in evaluator if isinstance(evaluator, list) else [evaluator]:
            if isinstance(metric, dict) and metric.get('type') in ('IoUMetric', 'mmseg.IoUMetric'):
                metric.pop('keep_results', None)


def from_cfg(cls, cfg: Config) -> Runner:
    """A runner for a config; segplug's where a program builds one in mmsegmentation's scope."""
    in_scope = cfg.get('default_scope') in (SCOPE, ours.SCOPE)
    if in_scope:
        _drop_without_effect(cfg)
    return _BUILT_IN['from_cfg'].__func__(OurRunner if cls is Runner and in_scope else cls, cfg)


LENT: list[tuple[object, str, object]] = [
    *((EncoderDecoder, name, vars(InferenceSteps)[name]) for name in (
        'inference', 'whole_inference', 'slide_inference', 'postprocess_result')),
    (EncoderDecoder, 'encode_decode', encode_decode),
    (EncoderDecoder, 'predict', predict),
    (EncoderDecoder, 'test_step', test_step),
    (BaseDecodeHead, 'predict_by_feat', predict_by_feat),
    (BaseDecodeHead, 'test_keys', property(test_keys)),
    (SegDataPreProcessor, 'cast_data', cast_data),
    (LoadAnnotations, '_load_seg_map', load_seg_map),
    (LoadAnnotations, 'transform', load_annotations),
    (SegLocalVisualizer, 'set_dataset_meta', visualization.set_dataset_meta),
    (SegLocalVisualizer, '_draw_sem_seg', visualization.draw_sem_seg),
    (SegLocalVisualizer, '_draw', visualization.draw_by_step),
    (val_loss, 'metas', marked_metas),
    (Runner, 'from_cfg', classmethod(from_cfg)),
    (SegplugError, '__bases__', KINDS),
]


# Classes of mmsegmentation that segplug itself does without.
REGISTERED = ((ours.MODELS, SegTTAModel), (ours.MODELS, SiLogLoss),
              (ours.METRICS, CityscapesMetric), (ours.METRICS, DepthMetric))


# Names that mmsegmentation itself has; others of segplug's are a plugin's to take, as there.
_THEIRS = {name for names in MODULES.values() for name in names}


def _search(registry: ours.Registry) -> Callable[[str], Registry | None]:
    """`Registry._search_child` of a registry that answers to mmsegmentation's scope, too."""
    def search(scope: str) -> Registry | None:
        return registry if scope == SCOPE else Registry._search_child(registry, scope)
    return search


def registries() -> list[ours.Registry]:
    """All of segplug's."""
    return [value for value in vars(ours).values() if isinstance(value, ours.Registry)]


def lend() -> None:
    """Give segplug's classes the methods, and its registries the scope 'mmseg'."""
    for owner, name, value in LENT:
        setattr(owner, name, value)
    for registry in registries():
        registry._search_child = _search(registry)
        registry.gives_way = lambda name: name not in _THEIRS
        registry.parent.children[SCOPE] = registry
    for registry, cls in REGISTERED:
        registry.register_module(module=cls, force=True)


def take_back() -> None:
    """Undo `lend`."""
    for owner, name, _ in LENT:
        if name in _BUILT_IN:
            setattr(owner, name, _BUILT_IN[name])
        else:
            delattr(owner, name)
    for registry in registries():
        del registry._search_child, registry.gives_way
        del registry.parent.children[SCOPE]
    for registry, cls in REGISTERED:
        del registry.module_dict[cls.__name__]
