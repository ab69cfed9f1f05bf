"""The networks that are tested, with random weights, and how long they take by themselves.

All procedures call one network, through `TimedNetwork`, which adds up its time, so that what is
left of a test step is post-processing, and keeps the shapes that went in.
"""

import time

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from segplug.apis.config import load_config
from segplug.apis.testing import STANDARD_AUG_TEST
from segplug.engine.sync_bn import convert_sync_batchnorm
from segplug.registry import MODELS

CLASSES = 19
CONFIGS = {'unet_r18': 'unet/unet_r18_minicity.py', 'unet_r101d': 'unet/unet_r101d_city.py'}
ALMOST_FREE = 'almost free'
STRIDE = {ALMOST_FREE: 8, 'unet_r18': 1, 'unet_r101d': 1}  # of the logits


class MeanOfCells(BaseModule):
    """(N, 3, H, W) -> one level (N, 3, H / 8, W / 8): means of 8x8 pixels."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return (F.avg_pool2d(x, 8, ceil_mode=True),)


def model_cfg(name: str) -> dict:
    """The segmentor's config; 'almost free' is `MeanOfCells` and one 1x1 convolution."""
    cfg = load_config(CONFIGS.get(name, CONFIGS['unet_r18'])).model
    cfg.backbone.init_cfg = None
    if name == ALMOST_FREE:
        cfg.backbone = dict(type=MeanOfCells)
        cfg.decode_head = dict(type='FCNHead', num_convs=0, concat_input=False, in_channels=3,
                               channels=3, in_index=0, num_classes=CLASSES, dropout_ratio=0)
    return cfg


def schemes(name: str) -> dict[str, dict]:
    """Single-scale and multi-scale of a network, as keys of test_cfg: its own where it has any."""
    if name == ALMOST_FREE:
        return {'SS': {}, 'MS': STANDARD_AUG_TEST}
    return {'SS': {}, 'MS': dict(load_config(CONFIGS[name]).aug_test_cfg)}


def test_cfg(name: str, scheme: str) -> dict:
    """All of the segmentor's test_cfg in a scheme."""
    return {**model_cfg(name).test_cfg, **schemes(name)[scheme]}


def build(name: str, device: str, settings: dict):
    """The segmentor with ``settings`` in its test_cfg; every call gives the same random weights."""
    torch.manual_seed(0)
    cfg = model_cfg(name)
    cfg.test_cfg = {**cfg.test_cfg, **settings}
    model = MODELS.build(cfg).to(device)
    return convert_sync_batchnorm(model, device, distributed=False).eval()


class TimedNetwork:
    """A segmentor's network, from normalised input to logits, put back in its place with a clock.

    Args:
        model: The segmentor; what it calls from now on is timed.
        device: Where it lies; on 'cuda' its own clock counts, so that nothing waits.

    Attributes:
        shapes: The distinct (N, C, h, w) that went in.
    """

    def __init__(self, model, device: str) -> None:
        self._forward, self._on_cuda = model.encode_decode, device == 'cuda'
        self._spans, self.shapes = [], set()
        model.encode_decode = self._timed

    def __call__(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> logits, for a procedure of another kind."""
        size = tuple(x.shape[2:])
        return self._timed(x, [dict(ori_shape=size, img_shape=size, pad_shape=size) for _ in x])

    def _timed(self, x: Tensor, batch_img_metas: list[dict]) -> Tensor:
        start = self._now()
        logits = self._forward(x, batch_img_metas)
        self._spans.append((start, self._now()))
        self.shapes.add(tuple(x.shape))
        return logits

    def _now(self):
        if not self._on_cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def taken(self) -> float:
        """ms since the last call of this; the device must have done its work.

        Raises:
            RuntimeError: The network was not called, so nothing was measured.
        """
        spans, self._spans = self._spans, []
        if not spans:
            raise RuntimeError('The network was not called: post-processing cannot be told apart.')
        if self._on_cuda:
            return sum(start.elapsed_time(end) for start, end in spans)
        return 1000 * sum(end - start for start, end in spans)
