"""Show the training curves of one run or of several: a table, and a picture with --out."""

import argparse

from .common import add_json_argument, print_result

EXAMPLE = """example:
  segplug curves work_dirs/unet_r18_minicity --out curves.png
  segplug curves work_dirs/unet_r18_minicity --keys loss 'decode.*' mIoU \\
      --smooth --out curves.html
  segplug curves work_dirs/mine mmseg/20210101_000000.log.json --keys lr --log"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('runs', nargs='+', metavar='RUN',
                        help='a work directory, a dated folder in it, or a log: scalars.json, or '
                             'the .log.json of mmsegmentation 0.x')
    parser.add_argument('--keys', nargs='+', metavar='KEY',
                        help="curves as the log names them, or patterns as 'decode.*'; by default "
                             'loss, val/loss and mIoU')
    parser.add_argument('--out', metavar='FILE',
                        help='write the charts there: .png, .pdf, .jpg, .svg or .html; or their '
                             'values: .csv')
    parser.add_argument('--smooth', action='store_const', const=0.9, default=0.,
                        help='draw a moving average, with the logged values pale behind it')
    parser.add_argument('--log', action='store_true', help='a logarithmic axis')
    parser.add_argument('--legend', nargs='+', metavar='NAME',
                        help='what the runs are called; by default what differs in their paths')
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.charting import curves
    found = curves(args.runs, keys=args.keys, smooth=args.smooth, log=args.log, names=args.legend)
    if args.out:
        found.write(args.out)
    print_result(found, found.data(), args.json)
    if args.out and args.json != '-':
        print(f'Written to {args.out}')
    return 0
