"""Training steps of the shipped models: images/s in float32, and what each speed setting adds.

No peer is involved: the baseline of each row is the same model in plain float32 in the same
process. A step is the model's own train_step: uint8 images from the CPU, normalise, forward,
losses, backward, SGD. Random weights, random labels.
"""

import torch
from common import main, measure, row
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData

from segplug.apis.config import load_config
from segplug.engine.amp import AmpOptimWrapper
from segplug.engine.sync_bn import convert_sync_batchnorm
from segplug.registry import MODELS
from segplug.structures import SegDataSample

R18, R101D = 'unet/unet_r18_minicity.py', 'unet/unet_r101d_city.py'
VARIANTS = {'float32': {}, 'amp': dict(amp=True), 'channels_last': dict(channels_last=True),
            'amp + channels_last': dict(amp=True, channels_last=True)}


def build(config, device):
    """The config's segmentor with random weights, SyncBN as on one process."""
    model_cfg = load_config(config).model
    model_cfg.backbone.init_cfg = None
    return convert_sync_batchnorm(MODELS.build(model_cfg).to(device), device, distributed=False)


def batch(num, size):
    """What a loader hands over: ``num`` images and labels of ``size`` (H, W)."""
    samples = [SegDataSample(gt_sem_seg=PixelData(
        data=torch.randint(0, 19, (1, *size), dtype=torch.uint8))) for _ in range(num)]
    images = [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for _ in range(num)]
    return dict(inputs=images, data_samples=samples)


def stepper(config, data, device, amp=False, channels_last=False):
    """A function that takes one training step of a model of its own."""
    model = build(config, device).train()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    wrapper = AmpOptimWrapper(optimizer) if amp else OptimWrapper(optimizer)
    return lambda: model.train_step(data, wrapper)


def rates(config, num, size, args):
    """Images/s of each variant."""
    data = batch(num, size)
    steps = {name: stepper(config, data, args.device, **settings)
             for name, settings in VARIANTS.items()}
    times = measure(steps, args.device, repeats=3 if args.quick else 15,
                    warmup=3 if args.device == 'cuda' else 1)
    return {name: 1000 * num / time for name, time in times.items()}


def run(args):
    torch.backends.cudnn.benchmark = True
    on_cuda, rows = args.device == 'cuda', []
    size = args.size or ((512, 512) if on_cuda or not args.quick else (96, 96))
    for name, config in {'unet_r18': R18, **({'unet_r101d': R101D} if on_cuda else {})}.items():
        num = 8 if on_cuda else 2
        found = rates(config, num, size, args)
        rows += [row(f'{name} {variant}, batch {num}, {size[1]}x{size[0]}', found['float32'],
                     rate, 'images/s') for variant, rate in found.items()]
    return rows


if __name__ == '__main__':
    main(__doc__, run)
