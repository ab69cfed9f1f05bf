"""The import direction of the layers, and what must never be imported, read from the sources."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'segplug'
SOURCES = sorted(PACKAGE.rglob('*.py'))

# layer -> rank. A layer imports smaller ranks and itself; layers of one rank are siblings.
# compat mends mmengine and mmcv for the engine and for commands: it stands beside ops.
# contract tries components of all of it, for commands and tests.
# compat.mmseg lends mmsegmentation's names for all of it: only commands may import it.
RANKS = {
    'version': 0, 'arguments': 1, 'discovery': 1, 'errors': 1, 'signature': 1, 'startup': 1,
    'registry': 2,
    'structures': 2,
    'ops': 3, 'compat': 3,
    'models': 4, 'datasets': 4, 'evaluation': 4, 'visualization': 4,
    'engine': 5, 'export': 5, 'report': 5, 'analysis': 5,
    'apis': 6, 'contract': 7, 'compat.mmseg': 7, 'cli': 8,
}
FORBIDDEN = ('pkg_resources', 'torchvision', 'mmcv.ops', 'mmseg', 'segplug_gated')
MAX_LINES = 400


def layer_of(module: str) -> str:
    """``segplug.ops.resize`` -> ``ops``; ``segplug`` itself is ``version``."""
    parts = module.split('.')
    if parts[1:3] == ['compat', 'mmseg']:
        return 'compat.mmseg'
    return parts[1] if len(parts) > 1 else 'version'


def module_of(path: Path, package: Path = PACKAGE) -> str:
    parts = path.relative_to(package.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imported_modules(source: str, module: str, is_package: bool) -> set[str]:
    """Every module that ``source`` imports, inside functions too, as absolute names.

    ``from X import y`` gives ``X`` and ``X.y``, as y may be a module.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                # One dot is the package that the file stands in.
                parents = module.split('.')
                parents = parents[:len(parents) - node.level + is_package]
                base = '.'.join([*parents, base] if base else parents)
            found.add(base)
            found |= {f'{base}.{alias.name}' for alias in node.names}
    return found


def wrong_imports(path: Path) -> list[str]:
    module = module_of(path)
    own = layer_of(module)
    wrong = []
    for name in imported_modules(path.read_text(), module, path.name == '__init__.py'):
        other = layer_of(name)
        if name.split('.')[0] != 'segplug' or other == own or other not in RANKS:
            continue
        if RANKS[other] >= RANKS[own]:
            wrong.append(f'{path.relative_to(ROOT)} imports {name}')
    return wrong


def names_under(name: str, roots: tuple) -> bool:
    return any(name == root or name.startswith(f'{root}.') for root in roots)


def test_relative_imports_are_resolved():
    source = 'from ..ops import resize\nfrom . import a\nimport torch.nn\nfrom ...x.y import z\n'
    # Inside segplug/models/heads/fcn.py: one dot is segplug.models.heads, two segplug.models.
    assert imported_modules(source, 'segplug.models.heads.fcn', False) == {
        'segplug.models.ops', 'segplug.models.ops.resize', 'segplug.models.heads',
        'segplug.models.heads.a', 'torch.nn', 'segplug.x.y', 'segplug.x.y.z'}
    # Inside segplug/models/__init__.py: one dot is segplug.models.
    assert 'segplug.models.a' in imported_modules('from . import a', 'segplug.models', True)


def test_every_layer_has_a_rank():
    layers = {layer_of(module_of(path)) for path in SOURCES}
    assert layers <= set(RANKS)


def test_layers_import_only_what_stands_before_them():
    assert [line for path in SOURCES for line in wrong_imports(path)] == []


@pytest.mark.parametrize('name', FORBIDDEN)
def test_nothing_imports(name):
    users = [str(path.relative_to(ROOT)) for path in SOURCES
             if any(names_under(found, (name,)) for found in imported_modules(
                 path.read_text(), module_of(path), path.name == '__init__.py'))]
    assert users == []


def test_medpy_is_imported_only_inside_functions():
    """MedPy is GPL-3.0 and slow to import: a module that is merely imported must not pull it in."""
    users = [str(path.relative_to(ROOT)) for path in SOURCES
             for node in ast.parse(path.read_text()).body
             if isinstance(node, ast.Import | ast.ImportFrom)
             and any(names_under(found, ('medpy',)) for found in imported_modules(
                 ast.unparse(node), module_of(path), False))]
    assert users == []


def test_every_load_by_torch_says_weights_only():
    """Its default became True in torch 2.6; before, a file may run code, and 2.4 warns of it."""
    call = 'torch.load' + '('
    sources = [path for folder in ('segplug', 'tests', 'tools', 'benchmarks', 'examples')
               for path in (ROOT / folder).rglob('*.py') if call in path.read_text()]
    assert sources
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == 'torch.load':
                assert 'weights_only' in {keyword.arg for keyword in node.keywords}, (
                    path, node.lineno)


def test_no_file_is_long():
    files = [*SOURCES, *(ROOT / 'configs').rglob('*.py'), *(ROOT / 'tools').rglob('*.*'),
             *(ROOT / 'tests').rglob('*.py')]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines())
               for path in files if path.suffix in ('.py', '.sh')}
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def test_every_folder_of_sources_is_a_package():
    """A folder without __init__.py would be left out of the wheel without a word."""
    assert [str(path) for path in {source.parent for source in SOURCES}
            if not (path / '__init__.py').is_file()] == []


def test_importing_segplug_imports_nothing_heavy():
    code = ('import sys, segplug; '
            'print([m for m in ("torch", "numpy", "mmengine", "mmcv", "cv2") if m in sys.modules])')
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == '[]', done.stderr
