"""Show the installed plugins: packages that register components through an entry point."""

import argparse

EXAMPLE = """example:
  segplug plugins list"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('action', choices=['list'], help='list: name, package, version, state')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from terminaltables import AsciiTable

    from ..registry import ENTRY_POINT_GROUP, load_plugins, plugins_disabled
    if plugins_disabled():
        print('Plugins are turned off by SEGPLUG_NO_PLUGINS.')
        return 0
    plugins = load_plugins()
    if not plugins:
        print(f'No plugin is installed (entry-point group {ENTRY_POINT_GROUP!r}).')
        return 0
    rows = [[p.name, p.package, p.version, p.target, p.error or 'loaded'] for p in plugins]
    print(AsciiTable([['plugin', 'package', 'version', 'entry point', 'state'], *rows]).table)
    return 0
