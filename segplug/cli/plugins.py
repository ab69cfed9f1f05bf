"""Plugins: packages that register components or verbs. List, check or start one."""

import argparse
import shutil

EXAMPLE = """example:
  segplug plugins list
  segplug plugins new my_heads
  pip install -e my-heads-plugin
  segplug plugins check my_heads
  segplug plugins check striped --mmseg --config configs/striped.py"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest='action', required=True, metavar='list|check|new',
                                    help='what to do')
    actions.add_parser('list', help='name, package, version and state of what is installed')
    check = actions.add_parser('check', help='hold the components of a package to their contracts')
    check.add_argument('package', metavar='PACKAGE',
                       help='a module, an installed distribution, a plugin of the list, or a path')
    check.add_argument('--config', nargs='+', default=[], metavar='CONFIG', dest='configs',
                       help='configs that say how its components are made')
    check.add_argument('--only', nargs='+', default=[], metavar='NAME', help='these components')
    check.add_argument('--mmseg', action='store_true',
                       help="it is written for mmsegmentation 1.x: lend it that package's names")
    new = actions.add_parser('new', help='write a package: a head, a config, a test, an entry '
                                         'point')
    new.add_argument('name', metavar='NAME', help='of the package, as Python imports it: my_heads')
    new.add_argument('--out', metavar='DIR', help='folder to write; ./NAME by default')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    return {'list': _list, 'check': _check, 'new': _new}[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from terminaltables import AsciiTable

    from .. import discovery
    from ..registry import load_plugins
    from .verbs import plugin_verbs
    if discovery.plugins_disabled():
        print('Plugins are turned off by SEGPLUG_NO_PLUGINS.')
        return 0
    rows = [[p.name, p.package, p.version, p.target, p.error or 'loaded']
            for p in load_plugins()]
    rows += [[f'segplug {v.name}', v.package, v.version, v.target, v.refused or 'a verb']
             for v in plugin_verbs()]
    if not rows:
        print(f'No plugin is installed (entry-point groups {discovery.COMPONENTS!r} and '
              f'{discovery.VERBS!r}).')
        return 0
    print(AsciiTable([['plugin', 'package', 'version', 'entry point', 'state'], *rows]).table)
    return 0


def _check(args: argparse.Namespace) -> int:
    if args.mmseg:
        from importlib import import_module
        import_module('segplug.compat.mmseg').install()
    from ..contract import check_package, is_kept, table
    results = check_package(args.package, args.configs, args.only)
    print(table(results, shutil.get_terminal_size((120, 24)).columns))
    return 0 if is_kept(results) else 1


def _new(args: argparse.Namespace) -> int:
    from ..apis.new_plugin import new_plugin
    folder = new_plugin(args.name, args.out)
    print(f'Written to {folder}. Go on with\n'
          f'  pip install -e {folder}\n'
          f'  segplug plugins check {args.name}\n'
          f'  python -m pytest {folder}')
    return 0
