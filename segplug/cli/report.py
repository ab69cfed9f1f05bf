"""Write one HTML file about a test: scores, classes, confusions, training curves, images.

With a second folder, of the same images: two tests side by side. The page needs no network, and no
other file.
"""

import argparse

EXAMPLE = """example:
  segplug report work_dirs/unet_r18_minicity/test_ss
  segplug report work_dirs/unet_r18_minicity/test_ss --num 40 \\
      --out report.html
  segplug report work_dirs/unet_r18_minicity/test_ss \\
      work_dirs/unet_r18_minicity/test_ms"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('out_dir', metavar='OUT_DIR',
                        help='folder that segplug test --out or segplug score --out has written')
    parser.add_argument('other', metavar='B', nargs='?',
                        help='another such folder, to be compared with OUT_DIR: what differs, the '
                             'paired test, the images that changed most')
    parser.add_argument('--with', dest='also', metavar='DIR',
                        help='another such folder, of the same checkpoint tested otherwise; by '
                             'default the one beside OUT_DIR that is multi-scale where OUT_DIR is '
                             'single-scale, or the other way round')
    parser.add_argument('--out', metavar='FILE',
                        help='the page; by default OUT_DIR/report.html, of two tests '
                             'B/comparison.html')
    parser.add_argument('--num', type=int, default=20, metavar='N',
                        help='images to show, half of them the worst, half around the median, or '
                             'those that changed most; 20 by default')
    parser.add_argument('--training', metavar='PATH',
                        help='work directory or log of the training, for the curves; by default '
                             "the checkpoint's folder")
    parser.add_argument('--config', metavar='CONFIG',
                        help='the config of the test, where OUT_DIR has no run.json that says it')
    parser.add_argument('--data-root', metavar='DIR',
                        help='root of every data set in the config, wrapped ones too')
    parser.add_argument('--image-dir', metavar='DIR',
                        help='folder of the images, for an OUT_DIR of segplug score')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    if args.other is not None:
        return run_pair(args)
    from ..apis.reporting import report
    print(report(args.out_dir, also=args.also, out=args.out, num=args.num, config=args.config,
                 data_root=args.data_root, training=args.training,
                 image_dir=args.image_dir))
    return 0


def run_pair(args: argparse.Namespace) -> int:
    from ..apis.pair_reporting import report_pair
    from ..errors import ConfigError
    for flag, given in (('--with', args.also), ('--training', args.training)):
        if given is not None:
            raise ConfigError(f'{flag} is for the report of one test.', got='two folders',
                              fix='leave it away, or give one folder')
    print(report_pair(args.out_dir, args.other, out=args.out, num=args.num, config=args.config,
                      data_root=args.data_root, image_dir=args.image_dir))
    return 0
