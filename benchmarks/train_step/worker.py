"""Training steps of one library, asked for line by line: ``python worker.py LIBRARY THREADS``.

LIBRARY is 'mmseg' or 'segplug'. Both run this very file, each in a process and an interpreter of
its own, so that only the library differs. Requests and answers are JSON, one a line:
``{"build": repr of a model config, "size": [H, W], "images": N}`` makes a model, its batch and one
step that is not timed; ``{"step": 1}`` takes a step. mmsegmentation's heads use nothing of mmcv's
compiled operators, so it runs on mmcv-lite, with a stand-in for their module.
"""

import ast
import importlib
import json
import logging
import os
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from stand_in import lend

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tests' / 'zoo'))
from weights import fill, image, uniform  # noqa: E402

PACKAGES = ('mmsegmentation', 'torch', 'mmengine', 'mmcv-lite', 'numpy')


def library(name):
    """Its registry of models and its class of samples."""
    if name == 'mmseg':
        lend()
    else:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # need not be installed
    importlib.import_module(f'{name}.models')
    init_default_scope(name)
    return (importlib.import_module(f'{name}.registry').MODELS,
            importlib.import_module(f'{name}.structures').SegDataSample)


def batch(num, size, num_classes, make_sample, label_type):
    """(N, 3, H, W) float32 and N samples whose labels are blocks of 8x8 pixels, some ignored."""
    coarse = uniform('label', (num, -(-size[0] // 8), -(-size[1] // 8)))
    label = np.floor((coarse + 1) / 2 * num_classes).astype(np.uint8)
    label[coarse > 0.9] = 255
    label = label.repeat(8, 1).repeat(8, 2)[:, None, :size[0], :size[1]]
    samples = [make_sample(gt_sem_seg=PixelData(data=torch.tensor(one, dtype=label_type)))
               for one in label]
    return torch.from_numpy(image((num, 3, *size))), samples


def build(models, cfg):
    """The model in training, its weights by the rule of the zoo's tests."""
    model = models.build(ConfigDict(cfg)).train()
    state = model.state_dict()
    drawn = fill({name: tuple(value.shape) for name, value in state.items()})
    model.load_state_dict({name: torch.from_numpy(np.asarray(value)).to(state[name].dtype)
                           for name, value in drawn.items()})
    return model


def step(model, inputs, samples):
    """Forward, losses, backward: (loss, wall ms, processor ms). Dropout is the same every time."""
    model.zero_grad(set_to_none=True)
    torch.manual_seed(0)
    wall, cpu = time.perf_counter(), time.process_time()
    losses = model.loss(inputs, samples)
    total = sum(value.mean() for name, value in losses.items() if 'loss' in name)
    total.backward()
    return (total.item(), 1000 * (time.perf_counter() - wall),
            1000 * (time.process_time() - cpu))


def classes_of(cfg):
    """K of the last head."""
    head = cfg['decode_head']
    return (head[-1] if isinstance(head, list) else head)['num_classes']


def serve(name, requests, answer):
    """Answer requests until there are none."""
    models, make_sample = library(name)
    label_type = torch.int64 if name == 'mmseg' else torch.uint8  # as their loaders give them
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    model = data = None
    for line in requests:
        request = json.loads(line)
        if 'build' in request:
            cfg = ast.literal_eval(request['build'])
            model = build(models, cfg)
            data = batch(request['images'], request['size'], classes_of(cfg), make_sample,
                         label_type)
            loss, _, _ = step(model, *data)
            squares = sum(p.grad.double().square().sum().item() for p in model.parameters()
                          if p.grad is not None)
            answer(dict(loss=loss, gradient=squares ** 0.5, versions=versions))
        else:
            _, wall, cpu = step(model, *data)
            answer(dict(wall=wall, cpu=cpu))


def main():
    # Whatever a library prints goes to stderr: stdout is for answers.
    out = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    warnings.filterwarnings('ignore')
    logging.disable(logging.WARNING)
    torch.set_num_threads(int(sys.argv[2]))
    serve(sys.argv[1], sys.stdin, lambda found: print(json.dumps(found), file=out, flush=True))


if __name__ == '__main__':
    main()
