"""Write one HTML file about a test: scores, classes, confusions, training curves, images.

The page needs no network, and no other file.
"""

import argparse

EXAMPLE = """example:
  segplug test unet/unet_r18_minicity.py work_dirs/unet_r18_minicity/iter_1000.pth --out scores/ss
  segplug report scores/ss
  segplug report scores/ss --with scores/ms --num 40 --out paper/report.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('out_dir', metavar='OUT_DIR',
                        help='folder that segplug test --out or segplug score --out has written')
    parser.add_argument('--with', dest='also', metavar='DIR',
                        help='another such folder, of the same checkpoint tested otherwise; by '
                             'default the one beside OUT_DIR that is multi-scale where OUT_DIR is '
                             'single-scale, or the other way round')
    parser.add_argument('--out', metavar='FILE', help='the page; OUT_DIR/report.html')
    parser.add_argument('--num', type=int, default=20, metavar='N',
                        help='images to show, half of them the worst, half around the median; 20')
    parser.add_argument('--training', metavar='PATH',
                        help='its work directory, or a log of it, for the curves; the '
                             "checkpoint's folder")
    parser.add_argument('--config', metavar='CONFIG',
                        help='the config of the test, where OUT_DIR has no run.json that says it')
    parser.add_argument('--data-root', metavar='DIR',
                        help='root of every data set in the config, wrapped ones too')
    parser.add_argument('--image-dir', metavar='DIR',
                        help='folder of the images, for an OUT_DIR of segplug score')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.reporting import report
    print(report(args.out_dir, also=args.also, out=args.out, num=args.num, config=args.config,
                 data_root=args.data_root, training=args.training,
                 image_dir=args.image_dir))
    return 0
