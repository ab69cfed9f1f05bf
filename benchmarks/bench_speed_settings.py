"""A test step of `unet_r18` with each speed setting, against the same in float32.

No claim: says which of `--amp`, `--channels-last` and `--compile` is worth turning on, and how
many labels it changes with random weights. tests/apis/test_test_flags.py holds what they do to
mIoU.
"""

import torch
from common import main, measure, row
from evaluation.networks import build

from segplug.engine.speed import Speed, speed_up

SETTINGS = {
    '--amp': Speed(amp=True), '--channels-last': Speed(channels_last=True),
    '--compile': Speed(compile=True), '--amp --channels-last': Speed(amp=True, channels_last=True),
    'all three': Speed(amp=True, channels_last=True, compile=True)}
NETWORK = 'unet_r18'


def step(model, img):
    """(3, H, W) uint8 -> labels (1, H, W)."""
    with torch.inference_mode():
        return model.test_step(dict(inputs=[img]))[0].pred_sem_seg.data


def run(args):
    height, width = args.size or ((128, 256) if args.quick else (512, 1024))
    img = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    # Compiling takes half a minute on a CPU, which is more than a quick run is meant to.
    settings = {name: speed for name, speed in SETTINGS.items()
                if not (speed.compile and args.quick and args.device == 'cpu')}
    models = {name: build(NETWORK, args.device, {}) for name in ('float32', *settings)}
    for name, speed in settings.items():
        speed_up(models[name], speed)
    plain = step(models['float32'], img)
    changed = {name: float((step(models[name], img) != plain).float().mean()) for name in settings}
    times = measure({name: lambda model=model: step(model, img) for name, model in models.items()},
                    args.device, repeats=3 if args.quick else 9, warmup=2)
    return [row(f'{NETWORK} SS {width}x{height}, {name} / float32', times['float32'], times[name],
                labels_changed=changed[name]) for name in settings]


if __name__ == '__main__':
    main(__doc__, run)
