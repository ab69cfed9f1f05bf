"""Time how a config predicts: the network alone, and the whole step from an image to its labels,
after a warm-up, with percentiles, images a second and peak memory."""

import argparse
import sys
from contextlib import redirect_stdout

from .common import (
    add_aug_test_argument,
    add_config_arguments,
    add_device_argument,
    add_json_argument,
    add_load_arguments,
    add_shape_argument,
    add_speed_arguments,
    config_arguments,
    load_arguments,
    print_result,
    speed_arguments,
)

EXAMPLE = """example:
  segplug speed unet/unet_r18_minicity.py --shape 256 512
  segplug speed unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth --amp --channels-last \\
      --repeats 200 --json speed.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    parser.add_argument('checkpoint', metavar='CHECKPOINT', nargs='?',
                        help='a checkpoint file, URL or known name; without one the weights are '
                             'random, which takes as long')
    add_shape_argument(parser)
    parser.add_argument('--batch', type=int, default=1, metavar='N',
                        help='images of a call, of which a step takes each by itself, as a '
                             'test does; 1 by default')
    parser.add_argument('--repeats', type=int, default=50, metavar='N',
                        help='calls that count, of the network and of the step; 50 by default')
    add_aug_test_argument(parser)
    add_device_argument(parser)
    add_load_arguments(parser)
    add_speed_arguments(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.measuring import speed
    # What the log says of loading is no part of a result that a program reads.
    with redirect_stdout(sys.stderr if args.json == '-' else sys.stdout):
        found = speed(args.config, args.checkpoint, shape=args.shape, batch=args.batch,
                      repeats=args.repeats, aug_test=args.aug_test, device=args.device,
                      speed=speed_arguments(args), load=load_arguments(args),
                      **config_arguments(args))
    print_result(found, found.data(), args.json)
    return 0
