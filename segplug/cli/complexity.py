"""Count what the network of a config costs, module by module: parameters, multiply-adds, memory.
Neither weights nor data are read."""

import argparse

from .common import (
    add_config_arguments,
    add_json_argument,
    add_shape_argument,
    config_arguments,
    print_result,
)

EXAMPLE = """example:
  segplug complexity unet/unet_r18_minicity.py
  segplug complexity pspnet/pspnet_r50-d8_4xb2-80k_cityscapes-512x1024.py \\
      --shape 1024 2048 --depth 1 --csv pspnet.csv"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    add_shape_argument(parser)
    parser.add_argument('--depth', type=int, default=2, metavar='N',
                        help='levels of modules in the table, 0 is the whole network; 2 by default')
    parser.add_argument('--train-batch', type=int, metavar='N',
                        help='images of the training step whose memory is counted; by default as '
                             'many as the config trains with in a process')
    parser.add_argument('--csv', metavar='FILE', help='write every module there, unrounded')
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.counting import complexity
    found = complexity(args.config, shape=args.shape, batch=args.train_batch,
                       **config_arguments(args))
    if args.csv:
        found.write_csv(args.csv)
    print_result(found.text(args.depth), found.data(), args.json)
    if args.csv and args.json != '-':
        print(f'Written to {args.csv}')
    return 0
