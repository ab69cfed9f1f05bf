"""List the shipped configs: method, backbone, parameters, multiply-adds of one image."""

import argparse

from .common import add_json_argument, add_shape_argument, print_result

EXAMPLE = """example:
  segplug zoo pspnet
  segplug zoo r50 cityscapes --shape 512 1024 --markdown"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('words', nargs='*', metavar='WORD',
                        help='configs with each of these in their path; all without one')
    add_shape_argument(parser)
    parser.add_argument('--markdown', action='store_true', help='a table for a README')
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.zoo import zoo
    rows = zoo(args.words, size=args.shape)
    print_result((markdown if args.markdown else text)(rows), rows, args.json)
    return 0


HEAD = ['Config', 'Backbone', 'Head', 'Size', 'Params (M)', 'Mult-adds (G)']


def text(rows: list[dict]) -> str:
    """The table of the command line, and what is counted."""
    from terminaltables import AsciiTable
    table = AsciiTable([HEAD, *map(cells, rows)])
    table.justify_columns = {4: 'right', 5: 'right'}
    number = f'{len(rows)} config{"s" * (len(rows) != 1)}'
    return (f'{table.table}\n{number}. Params without auxiliary heads; multiply-adds of '
            'convolutions and matrix products, as computed here, for one image.')


def markdown(rows: list[dict]) -> str:
    """The same as a Markdown table."""
    lines = [HEAD, ['---'] * 4 + ['---:'] * 2, *map(cells, rows)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def cells(row: dict) -> list[str]:
    """A row of `segplug.apis.zoo.zoo` as it is shown: millions, and billions."""
    height, width = row['size']
    return [row['config'], row['backbone'], row['head'], f'{height}x{width}',
            f'{row["parameters"] / 1e6:.2f}', f'{row["multiply_adds"] / 1e9:.1f}']
