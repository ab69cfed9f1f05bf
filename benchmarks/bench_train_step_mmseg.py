"""One training step of the same model by mmsegmentation and by ours: forward, losses, backward.

Both get our config, the same weights, images and labels, and run in processes of their own that
take turns; losses and gradients are compared before anything is timed. mmsegmentation runs with the
interpreter that --mmseg-python names, where it is installed with mmengine and mmcv-lite; without
one there is nothing to compare with. Steps are mostly convolutions, which are torch's in both.
"""

import contextlib
import json
import statistics
import subprocess
import sys
from pathlib import Path

from common import SKIPPED, main, row

from segplug.apis.config import load_config

WORKER = Path(__file__).parent / 'train_step' / 'worker.py'
R18 = dict(backbone=dict(depth=18), decode_head=dict(in_channels=512, channels=128),
           auxiliary_head=dict(in_channels=256, channels=64))
# By name: the config and what differs from it.
MODELS = {
    'fcn_r18': ('fcn/fcn_r50-d8_4xb2-80k_cityscapes-512x1024.py', R18),
    'pspnet_r50': ('pspnet/pspnet_r50-d8_4xb2-80k_cityscapes-512x1024.py', {}),
    'deeplabv3plus_r50': ('deeplabv3plus/deeplabv3plus_r50-d8_4xb2-80k_cityscapes-512x1024.py', {}),
    'ocrnet_hr18': ('ocrnet/ocrnet_hr18_4xb2-80k_cityscapes-512x1024.py', {}),
}
SMALL, LARGE, TINY = (128, 192), (256, 512), (64, 64)  # H, W
IMAGES = 2
LOSS_WITHIN, GRADIENT_WITHIN = 1e-4, 1e-2  # of their value; float32 through dozens of layers


class Worker:
    """A process that takes steps with one library."""

    def __init__(self, python, library, threads):
        self.name = f'{library} in {python}'
        try:
            self.process = subprocess.Popen([python, str(WORKER), library, str(threads)],
                                            text=True, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE)
        except OSError as error:
            sys.exit(f'{self.name} does not run: {(error.strerror or "").lower()}.')

    def ask(self, **request):
        with contextlib.suppress(BrokenPipeError):  # it has stopped; reading says so
            self.process.stdin.write(json.dumps(request) + '\n')
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f'{self.name} does not run; its own words stand above.')
        return json.loads(answer)

    def stop(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def options(parser):
    parser.add_argument('--mmseg-python', metavar='PATH',
                        help='interpreter of an environment with mmsegmentation 1.2.2')


def model_config(name, num_classes):
    """What both build: the config without pretrained weights, SyncBN as on one process."""
    path, changes = MODELS[name]
    cfg = load_config(path)
    cfg.merge_from_dict(dict(model=changes))
    return _plain(cfg.model.to_dict(), num_classes)


def _plain(value, num_classes):
    if isinstance(value, dict):
        value = {key: _plain(one, num_classes) for key, one in value.items()
                 if key not in ('pretrained', 'init_cfg', 'data_preprocessor')}
        if value.get('type') == 'SyncBN':
            value['type'] = 'BN'
        if 'num_classes' in value:
            value['num_classes'] = num_classes
        return value
    return type(value)(_plain(one, num_classes) for one in value) \
        if isinstance(value, (list, tuple)) else value


def compare(case, workers, name, size, num_classes, repeats):
    """A row, of medians; ``workers`` are theirs and ours."""
    request = dict(build=repr(model_config(name, num_classes)), size=size, images=IMAGES)
    built = [worker.ask(**request) for worker in workers]
    for key, within in (('loss', LOSS_WITHIN), ('gradient', GRADIENT_WITHIN)):
        theirs, ours = (found[key] for found in built)
        if not abs(ours - theirs) <= within * abs(theirs):
            sys.exit(f'{case}: not the same result, so no times. The {key} is {theirs:.6g} by '
                     f'mmsegmentation and {ours:.6g} by ours.')
    times = [[], []]
    for _ in range(repeats):
        for worker, found in zip(workers, times, strict=True):
            found.append(worker.ask(step=1))
    wall, cpu = ([statistics.median(one[kind] for one in found) for found in times]
                 for kind in ('wall', 'cpu'))
    return row(case, *wall, processor_ms=cpu, processor_ratio=cpu[0] / cpu[1],
               loss=[found['loss'] for found in built],
               gradient=[found['gradient'] for found in built], peer=built[0]['versions'])


def cases(args):
    """(model, (H, W), K, repeats) of each row."""
    if args.quick:
        return [('fcn_r18', args.size or TINY, 19, 2)]
    rows = [(name, args.size or SMALL, 19, 7) for name in MODELS]
    if not args.size:
        rows += [(name, LARGE, num_classes, 5) for name in ('fcn_r18', 'ocrnet_hr18')
                 for num_classes in (19, 150)]
    return rows


def run(args):
    if args.mmseg_python is None:
        print('Skipped: --mmseg-python PATH names no interpreter that has mmsegmentation.')
        sys.exit(SKIPPED)
    threads = args.threads or 1
    workers = [Worker(args.mmseg_python, 'mmseg', threads),
               Worker(sys.executable, 'segplug', threads)]
    try:
        return [compare(f'{name}, {IMAGES} images of {size[1]}x{size[0]}, {num_classes} classes, '
                        f'{threads} thread{"s" * (threads > 1)}', workers, name, size, num_classes,
                        repeats) for name, size, num_classes, repeats in cases(args)]
    finally:
        for worker in workers:
            worker.stop()


def processor_times(rows):
    """The same comparison by processor time, which other work on the machine disturbs less."""
    return 'By processor time: ' + ', '.join(
        f'{found["processor_ratio"]:.2f}x' for found in rows) + ', in the order of the rows.'


if __name__ == '__main__':
    main(__doc__, run, report=processor_times, options=options)
