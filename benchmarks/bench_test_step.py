"""The test step without its network: resize, normalise, upsample, average, arg-max.

Claim on a CPU, 2048x1024, 19 classes, logits of stride 8, one thread: single-scale 8 times and
6 scales with flip 10 times as fast as the baseline, which does what mmsegmentation does: the
logits of each augmentation go to the input's size and then to the image's, all maps are
kept in a list, softmaxed, averaged, arg-maxed. The network is one convolution of stride 8.
"""

import torch
import torch.nn.functional as F
from common import main, measure, row

from segplug.models.tta import TestCfg, predict_image

CLASSES, STRIDE = 19, 8
SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)


class AlmostFree:
    """(N, 3, H, W) -> logits (N, K, H / 8, W / 8)."""

    def __init__(self, device):
        self.weight = torch.randn(CLASSES, 3, 1, 1, device=device)

    def __call__(self, x):
        return F.conv2d(F.avg_pool2d(x, STRIDE, ceil_mode=True), self.weight)


def prepare(x):
    """(N, C, H, W) in 0..255 -> normalised, and the size of its valid part."""
    return (x - 120) / 60, tuple(x.shape[-2:])


def upsampled(x, size):
    return F.interpolate(x, size, mode='bilinear', align_corners=False)


@torch.no_grad()
def list_of_logits(network, img, scales, flip):
    """(C, H, W) uint8 -> labels (H, W) int64, with a full-size map for each augmentation."""
    size, logits = tuple(img.shape[1:]), []
    for scale in scales:
        view = upsampled(img[None].float(), [int(s * scale + 0.5) for s in size])
        for mirrored in (False, True) if flip else (False,):
            x = prepare(view.flip(-1) if mirrored else view)[0]
            scores = upsampled(network(x), x.shape[-2:])
            logits.append(upsampled(scores.flip(-1) if mirrored else scores, size)[0])
    if len(logits) == 1:
        return logits[0].argmax(0)
    total = torch.zeros_like(logits[0])
    for scores in logits:
        total += scores.softmax(0)
    return (total / len(logits)).argmax(0)


def peak_memory(function):
    """MB that a call takes on the GPU beyond what was there before."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def compare(name, img, network, scales, flip, args):
    """One row: times of both, the share of equal labels and, on a GPU, the peaks of memory."""
    cfg, size = TestCfg(scales=scales, flip=flip), tuple(img.shape[1:])
    functions = {
        'baseline': lambda: list_of_logits(network, img, scales, flip),
        'ours': lambda: predict_image(network, img, size, cfg, prepare,
                                      out_channels=CLASSES).labels}
    more = dict(same_labels=float((functions['baseline']() == functions['ours']()).float().mean()))
    if args.device == 'cuda':
        more.update((f'{k}_peak_mb', peak_memory(f)) for k, f in functions.items())
    times = measure(functions, args.device, repeats=3 if args.quick else 7)
    return row(f'{name} {size[1]}x{size[0]}', times['baseline'], times['ours'], **more)


def run(args):
    small = args.quick and args.device == 'cpu'
    height, width = args.size or ((256, 512) if small else (1024, 2048))
    coarse = torch.randint(0, 256, (1, 3, height // 32 + 1, width // 32 + 1)).float()
    img = upsampled(coarse, (height, width))[0].to(torch.uint8).to(args.device)
    network = AlmostFree(args.device)
    return [compare('single-scale', img, network, (1.0,), False, args),
            compare('6 scales and flip', img, network, SCALES, True, args)]


if __name__ == '__main__':
    main(__doc__, run)
