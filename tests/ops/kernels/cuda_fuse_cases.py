"""Settings on which the CUDA kernel and plain torch are compared, on a GPU or interpreted.

Run as a script with TRITON_INTERPRET=1, which Triton reads when it is imported, it prints the
differences as JSON. An interpreted program takes a millisecond for each class, so images are tiny.
"""

import json
from dataclasses import dataclass, field
from unittest import mock

import torch
import torch.nn.functional as F

from segplug.models.tta import TestCfg, predict_image
from segplug.ops import kernels
from segplug.ops.fuse import fuse_plain

# Overlaps of two and three windows in both directions, several strips.
SLIDE = dict(mode='slide', crop_size=(6, 10), stride=(4, 6))
THRESHOLD = 0.4


@dataclass(frozen=True)
class Case:
    """An image of ``size`` through a random network with one logit for ``stride`` pixels."""

    channels: int
    size: tuple[int, int] = (9, 21)
    stride: int = 2
    align: bool = False
    masked: bool = False
    cfg: dict = field(default_factory=dict)


CASES = {
    'whole': Case(19), 'whole-kept': Case(5, cfg=dict(save_logits=True)),
    'stride-1': Case(3, (5, 40), 1), 'mirror': Case(5, cfg=dict(flip=True)),
    'one-pixel': Case(3, (1, 1), 1, cfg=dict(flip=True, scales=(1., 2.))),
    'scales': Case(2, cfg=dict(flip=True, scales=(1., 1.5, .5), save_logits=True)),
    'align': Case(3, align=True, cfg=dict(flip=True, scales=(1., .5), save_logits=True)),
    'binary': Case(1, cfg=dict()), 'binary-scales': Case(1, cfg=dict(flip=True, scales=(1., .5))),
    'many-classes': Case(300, (2, 7), cfg=dict(flip=True, save_logits=True)),
    'masked-class': Case(3, (4, 8), 1, masked=True, cfg=dict(flip=True, save_logits=True)),
    'slide': Case(2, cfg=SLIDE),
    'slide-scales': Case(3, cfg=dict(SLIDE, flip=True, scales=(1., .7), save_logits=True)),
    'slide-stride-1': Case(3, stride=1, cfg=dict(SLIDE, flip=True, save_logits=True)),
    'slide-probs': Case(2, cfg=dict(SLIDE, flip=True, scales=(1., .7), window_average='probs')),
    'twice': Case(2, cfg=dict(SLIDE, flip=True, upsample='twice', save_logits=True)),
}


def _prepare(x):
    """Padded to a multiple of 4."""
    height, width = x.shape[-2:]
    return F.pad((x - 120) / 60, (0, -width % 4, 0, -height % 4)), (height, width)


def predicted(case: Case, device: str, function):
    """(labels (H, W), scores (K, H, W) or None) with ``function`` in place of `ops.fuse.fuse`."""
    generator = torch.Generator().manual_seed(case.channels)
    weight = torch.randn(case.channels, 3, 3, 3, generator=generator).to(device)
    img = torch.randint(0, 256, (3, *case.size), generator=generator, dtype=torch.uint8)

    def network(x):
        logits = F.conv2d(x, weight, padding=1)[..., ::case.stride, ::case.stride]
        if case.masked:
            logits = logits.clone()
            logits[:, 1] = float('-inf')
        return logits

    with mock.patch.object(kernels, 'fuse_for', return_value=function):
        found = predict_image(network, img.to(device), case.size, TestCfg(**case.cfg), _prepare,
                              out_channels=case.channels, align_corners=case.align,
                              threshold=THRESHOLD)
    return found.labels, found.logits if found.probs is None else found.probs


def difference(case: Case, device: str, function) -> dict:
    """What ``function`` and plain torch disagree on.

    Returns:
        The number of kernel ``calls``, of ``labels`` that differ although the scores of the plain
        path are clear, and the greatest difference of ``scores`` (0 where none are kept).
    """
    calls = []

    def counted(*args, **settings):
        calls.append(settings)
        function(*args, **settings)

    labels, scores = predicted(case, device, counted)
    plain_labels, plain = predicted(case, device, fuse_plain)
    wrong = labels != plain_labels
    if scores is not None and case.channels > 1:
        top = plain.topk(2, 0).values
        wrong &= top[0] - top[1] > 1e-5
    apart = 0. if scores is None else (scores - plain).abs().max()
    return dict(calls=len(calls), labels=int(wrong.sum()), scores=float(apart))


if __name__ == '__main__':
    from segplug.ops.kernels import cuda_fuse
    cuda_fuse._BLOCKS.update({True: 16, False: 16})  # a row is more than one program
    print(json.dumps({name: difference(case, 'cpu', cuda_fuse.launch)
                      for name, case in CASES.items()}))
