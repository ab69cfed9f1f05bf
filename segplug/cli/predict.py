"""Label images, folders and videos with a checkpoint: class-id PNGs with the palette, overlays to
look at, and the area of each class."""

import argparse

from ..startup import collector_rests
from .common import (
    add_aug_test_argument,
    add_classes_argument,
    add_config_arguments,
    add_device_argument,
    add_load_arguments,
    add_speed_arguments,
    config_arguments,
    load_arguments,
    speed_arguments,
)

EXAMPLE = """example:
  segplug predict unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth \\
      data/minicity/leftImg8bit/val --out predictions
  segplug predict work_dirs/unet_r18_minicity/iter_1000.pth street.mp4 \\
      --out street
  segplug predict work_dirs/unet_r18_minicity/iter_1000.pth map.tif \\
      --window 1024 --out map"""
_CONFIGS = ('.py', '.json', '.yaml', '.yml')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='a checkpoint file, URL or known name; CONFIG may be left away for '
                             'those that segplug wrote')
    parser.add_argument('images', nargs='*', metavar='IMAGE',
                        help='files, folders, videos, or patterns in quotes')
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='folder for labels/*.png, overlays/*.png and areas.csv')
    parser.add_argument('--overwrite', action='store_true', help='replace a file that is there')
    parser.add_argument('--skip-existing', action='store_true',
                        help='leave out the images that --out has files of already: go on after '
                             'an interruption')
    parser.add_argument('--probs', nargs='?', const='npz', choices=['npz', 'png16'],
                        help='also write the probabilities: K x H x W float32, or a gray PNG of 16 '
                             'bits for each class')
    parser.add_argument('--window', metavar='H,W',
                        help='label in windows of so many pixels (one number is a square) at the '
                             'own size of the image, without the resizing of the test pipeline; '
                             'for images that are too large to be held this is done by itself')
    parser.add_argument('--stride', metavar='H,W',
                        help='from one window to the next; three quarters of a window by default')
    parser.add_argument('--opacity', type=float, default=0.5, metavar='SHARE',
                        help='share of the colours in overlays, 0 to 1; 0.5 by default')
    add_aug_test_argument(parser)
    add_device_argument(parser)
    add_classes_argument(parser, 'what the classes are, if neither checkpoint nor config says')
    add_load_arguments(parser)
    add_speed_arguments(parser)


@collector_rests()
def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.predicting import predict
    config, checkpoint, images = _told_apart([args.config, args.checkpoint, *args.images])
    result = predict(config, checkpoint, images, args.out, device=args.device,
                     aug_test=args.aug_test, probs=args.probs, window=_pair(args.window),
                     stride=_pair(args.stride), opacity=args.opacity, overwrite=args.overwrite,
                     skip_existing=args.skip_existing, speed=speed_arguments(args),
                     load=load_arguments(args), classes=args.classes, **config_arguments(args))
    print(result)
    return 0


def _told_apart(words: list[str]) -> tuple[str, str | None, list[str]]:
    """Config, checkpoint and images; the checkpoint is None if it stands in the config's place.

    Raises:
        ConfigError: An image stands where one of the others should.
    """
    from ..apis.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES
    from ..errors import ConfigError
    alone = not words[0].lower().endswith(_CONFIGS)
    for word, what in zip(words, ['neither config nor checkpoint'] if alone else
                          ['no config', 'no checkpoint'], strict=False):
        if word.lower().endswith(IMAGE_SUFFIXES + VIDEO_SUFFIXES):
            raise ConfigError(f'{word} is {what}.', culprit=word,
                              expected='CONFIG CHECKPOINT IMAGES..., or CHECKPOINT IMAGES...')
    return (words[0], None, words[1:]) if alone else (words[0], words[1], words[2:])


def _pair(given: str | None) -> tuple[int, int] | None:
    """'512,1024' -> (512, 1024); one number is a square."""
    from ..errors import ConfigError
    if given is None:
        return None
    parts = given.split(',')
    if len(parts) > 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise ConfigError('This is no size.', got=given, culprit=given,
                          expected='pixels: 512, or height and width: 512,1024')
    return int(parts[0]), int(parts[-1])
