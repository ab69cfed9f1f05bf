"""Print a config as it is merged, with the file and line that each value comes from; or what
differs in two.

CONFIG may also be a work directory, or a checkpoint that segplug wrote: then it is the config of
that training. Each line holds a key as --cfg-options takes it.
"""

import argparse
from pathlib import Path

from .common import add_config_arguments, config_arguments

EXAMPLE = """example:
  segplug config unet/unet_r18_minicity.py
  segplug config unet/unet_r18_minicity.py \\
      --keys model.decode_head optim_wrapper
  segplug config unet/unet_r18_minicity.py --diff work_dirs/unet_r18_minicity
  segplug config unet/unet_r18_minicity.py \\
      --cfg-options train_cfg.max_iters=100 --out merged.py"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument('--diff', metavar='OTHER',
                        help='what differs from CONFIG to OTHER, a config, work directory or '
                             'checkpoint; --cfg-options are of CONFIG')
    parser.add_argument('--keys', nargs='+', default=[], metavar='KEY',
                        help='only these keys, and what is below them: model.decode_head')
    parser.add_argument('--no-origin', action='store_true',
                        help='leave the files out; a config is then printed as Python')
    parser.add_argument('--graph', action='store_true', help='print the modules of the model too')
    parser.add_argument('--out', metavar='FILE',
                        help='write the merged config, as .py, .json or .yaml')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.showing import model_text, show_config, write_config
    given = config_arguments(args)
    if args.diff:
        from ..apis.differing import diff_configs
        found = diff_configs(args.config, args.diff, keys=args.keys, **given)
    else:
        found = show_config(args.config, keys=args.keys, **given)
    print(found.text(origins=not args.no_origin))
    if args.graph or args.out:
        whole = show_config(args.config, **given).cfg
        if args.graph:
            print(model_text(whole))
        if args.out:
            print(f'Written: {write_config(whole, Path(args.out))}')
    return 0
