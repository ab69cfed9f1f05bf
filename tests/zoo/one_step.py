"""A config's parts at tiny size: data set, pipelines, one train step and one test step.

Data sets, pipelines, optimizer, schedule and metric are the config's own, on a made-up tree.
Pipelines run at their own sizes; then images are cut to a few pixels, and the model has a quarter
of its width where its backbone has one to set. Equal parts run once: what happened is kept by the
part's text.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import torch
from made_up_data import leaves, make
from mmengine.config import ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from observe import slim

from segplug.datasets.pipeline import Pipeline
from segplug.registry import DATASETS, METRICS, MODELS, PARAM_SCHEDULERS, SCOPE

SMALL = (64, 96)
# Their last stage or their pooling asks for more.
LARGE = (128, 160)
LARGEST = (400, 416)
LARGE_BACKBONES = {'BiSeNetV1', 'BiSeNetV2', 'STDCNet', 'STDCContextPathNet', 'ICNet', 'FastSCNN',
                   'DDRNet', 'PIDNet', 'CGNet', 'ERFNet'}


class Steps:
    """Runs the parts of configs, each distinct one once.

    Args:
        folder: For trees of data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, object] = {}

    def run(self, cfg) -> str | None:
        """What fails of a resolved config, as 'part: sentence'; None where all of it works."""
        with DefaultScope.overwrite_default_scope(SCOPE):
            try:
                samples = {split: self._once(
                    f'{split} data', cfg[f'{split}_dataloader'].dataset,
                    lambda dataset, split=split: self._samples(dataset, split == 'train'))
                    for split in ('train', 'val', 'test')}
                if cfg.get('tta_pipeline'):
                    self._once('tta pipeline', [cfg.tta_pipeline, cfg.val_dataloader.dataset],
                               lambda both: augmented(both[0], self._dataset(both[1])))
                self._once('model', [cfg.model, cfg.get('optim_wrapper'),
                                     cfg.get('param_scheduler'), cfg.get('val_evaluator'),
                                     [cfg[f'{split}_dataloader'].dataset for split in samples]],
                           lambda parts: step(*parts[:4], samples))
            except Failed as error:
                return str(error)
        return None

    def _once(self, name: str, part, action: Callable):
        text = json.dumps([name, plain(part)], sort_keys=True, default=repr)
        if text not in self._known:
            try:
                self._known[text] = action(copy.deepcopy(part))
            except Exception as error:  # whatever a part raises is what the table says
                self._known[text] = Failed(f'{name}: {type(error).__name__}: {error}')
        found = self._known[text]
        if isinstance(found, Failed):
            raise found
        return found

    def _dataset(self, dataset: dict):
        for leaf in leaves(dataset):
            make(leaf, self.folder)
        return DATASETS.build(dataset)

    def _samples(self, dataset: dict, with_labels: bool) -> tuple[list[dict], dict]:
        """Two samples, of which no more is kept than any model sees, and the classes."""
        made = self._dataset(dataset)
        return [corner(made[i], LARGEST, with_labels) for i in range(2)], made.metainfo


class Failed(Exception):
    """A part of a config does not work."""


def plain(part):
    """Config dicts as dicts."""
    if isinstance(part, ConfigDict):
        return part.to_dict()
    return [plain(each) for each in part] if isinstance(part, list | tuple) else part


def augmented(pipeline: list, dataset) -> int:
    """How many augmentations of the first image a ``tta_pipeline`` makes."""
    while hasattr(dataset, 'dataset') or hasattr(dataset, 'datasets'):
        dataset = getattr(dataset, 'dataset', None) or dataset.datasets[0]
    return len(Pipeline(pipeline)(dataset.get_data_info(0))['inputs'])


def step(model: dict, optim_wrapper: dict, schedules: list, metric: dict, samples: dict) -> dict:
    """One train step and one test step of a model; its losses, and the metric's values."""
    size = size_of(model)
    torch.manual_seed(0)
    net = MODELS.build(tiny(model, size))
    wrapper = build_optim_wrapper(net, optim_wrapper)
    schedules = [PARAM_SCHEDULERS.build(dict(each, optimizer=wrapper)) for each in schedules]
    before = [parameter.detach().clone() for parameter in net.parameters()]
    losses = net.train().train_step(cut(samples['train'][0], size, True), wrapper)
    for schedule in schedules:
        schedule.step()
    for name, value in losses.items():
        if not torch.isfinite(value).all():
            raise Failed(f'{name} is {value}')
    if all(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True)):
        raise Failed('no weight has changed')
    scored = METRICS.build(metric)
    scored.dataset_meta = samples['test'][1]
    batch = cut(samples['test'][0][:1], size, False)
    results = net.eval().test_step(batch)
    scored.process(batch, [each.to_dict() for each in results])
    # Numbers alone: a loss would keep its graph, and with it the model.
    return dict(losses={name: float(value.detach()) for name, value in losses.items()},
                metrics=scored.evaluate(1))


def size_of(model: dict) -> tuple[int, int]:
    """(H, W) of an image that reaches every part of the model."""
    heads = [model.get(key) for key in ('decode_head', 'auxiliary_head')]
    text = json.dumps(plain(heads), default=repr)
    if 'LRASPPHead' in text:
        return LARGEST  # its pooling window has 49 x 49 cells of stride 8
    return LARGE if model['backbone']['type'] in LARGE_BACKBONES else SMALL


def tiny(model: dict, size: tuple[int, int]) -> dict:
    """The model at a quarter of its width, which pads to and slides by ``size``, and loads no
    weights; the classes stay."""
    model = plain(model)
    narrow = with_classes(slim(model), model)
    narrow['data_preprocessor'] = dict(model['data_preprocessor'])
    if narrow['data_preprocessor'].get('size') is not None:
        narrow['data_preprocessor']['size'] = size
    test_cfg = narrow.get('test_cfg') or {}
    if test_cfg.get('mode') == 'slide':
        test_cfg.update(crop_size=size, stride=(size[0] * 2 // 3, size[1] * 2 // 3))
    return ConfigDict(narrow)


def with_classes(narrow, model):
    """``narrow`` with the numbers of classes that ``model`` has, at any depth."""
    if isinstance(narrow, dict):
        return {key: model[key] if key == 'num_classes' else with_classes(value, model[key])
                if key in model else value for key, value in narrow.items()}
    if isinstance(narrow, list | tuple):
        return type(narrow)(with_classes(a, b) for a, b in zip(narrow, model, strict=True))
    return narrow


def cut(samples: list[dict], size: tuple[int, int], with_labels: bool) -> dict:
    """A batch of the upper left corners of images."""
    corners = [corner(sample, size, with_labels) for sample in samples]
    return {key: [each[key] for each in corners] for key in corners[0]}


def corner(sample: dict, size: tuple[int, int], with_labels: bool) -> dict:
    """The upper left corner of a sample; its label is cut, too, in training."""
    height, width = size
    inputs = sample['inputs'][:, :height, :width].clone()
    data_sample = sample['data_samples'].clone()
    if with_labels:
        for key in ('gt_sem_seg', 'gt_edge_map'):
            if key in data_sample:
                whole = getattr(data_sample, key).data
                setattr(data_sample, key, PixelData(data=whole[:, :height, :width].clone()))
    shape = tuple(inputs.shape[1:])
    data_sample.set_metainfo(dict(img_shape=shape, pad_shape=shape))
    return dict(inputs=inputs, data_samples=data_sample)
