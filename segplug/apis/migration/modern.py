"""What a config of mmsegmentation 1.x says otherwise here: scopes, imports, names nothing reads."""

import ast
import re
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from ..config_checks import NESTED_KEYS, TOP_LEVEL_KEYS, slip_of
from ..testing import STANDARD_AUG_TEST
from .literals import by_key, dicts, entries, remove, text_of
from .old_transforms import drop, file_client_args
from .source import Source, is_cut

COMPAT = 'segplug.compat.mmseg'
_SCOPED = re.compile(r'mmseg\.([A-Z]\w*)')
_OWN_SCOPE = ("this is segplug's name for the scope; load_config takes 'mmseg' for it, so the "
              'config runs without the change, too')


def rewrite(source: Source, resolved: dict) -> None:
    """Put the edits of one file into ``source``.

    Args:
        resolved: What the file says with its bases; may be empty.
    """
    for node in dicts(source):
        given = by_key(source, node)
        if 'file_client_args' in given and not is_cut(source, node):
            file_client_args(source, node)
        if 'wd_mult' in given and set(given) <= {'wd_mult', 'lr_mult', 'decay_mult'}:
            drop(source, node, 'wd_mult', reason='mmengine reads decay_mult; wd_mult has no '
                 'effect. Write decay_mult if it is meant')
    _default_scope(source)
    _scoped_names(source)
    _custom_imports(source)
    _misspelt(source)
    _environment(source)
    _aug_test(source, resolved)


def is_pure_python(source: Source) -> bool:
    """Whether the file is of mmengine's other style, which imports its bases and classes."""
    imports = (ast.ImportFrom, ast.Import, ast.With)
    return any(isinstance(node, ast.With) and 'read_base' in source.text
               or isinstance(node, ast.ImportFrom) and (node.module or '').startswith('mmseg')
               for node in source.tree.body if isinstance(node, imports))


def _strings(source: Source) -> Iterator[ast.Constant]:
    return (node for node in ast.walk(source.tree) if text_of(node) is not None)


def _put(source: Source, node: ast.Constant, value: str, reason: str, *,
         needed: bool = True) -> None:
    """Another text in the quotes that are there."""
    start, end = source.span(node)
    old = source.text[start:end]
    if old.count(node.value) == 1:
        source.edit(start, end, old.replace(node.value, value), reason, needed=needed)


def _default_scope(source: Source) -> None:
    statement = source.statements().get('default_scope')
    if statement is not None and text_of(statement.value) == 'mmseg':
        _put(source, statement.value, 'segplug', _OWN_SCOPE, needed=False)
    for node in ast.walk(source.tree):
        scope = by_key(source, node).get('_scope_') if isinstance(node, ast.Call | ast.Dict) \
            else None
        if scope is not None and text_of(scope.value) == 'mmseg':
            _put(source, scope.value, 'segplug', 'the registries of this scope are here')


def _scoped_names(source: Source) -> None:
    for node in _strings(source):
        found = _SCOPED.fullmatch(node.value)
        if found:
            _put(source, node, found[1],
                 "a scope before a name is only known while mmsegmentation's names are lent")


# --- imports -----------------------------------------------------------------------------------

def _custom_imports(source: Source) -> None:
    """Lend mmsegmentation's names before a package that imports them."""
    statement = source.statements().get('custom_imports')
    listed = by_key(source, statement.value if statement else None).get('imports')
    if listed is None:
        return
    modules = [node for node in ast.walk(listed.value) if text_of(node) is not None]
    if any(node.value == COMPAT for node in modules):
        return
    for node in modules:
        if is_mmseg(node.value) or imports_mmseg(node.value, source.path.parent):
            _lend(source, listed.value, node)
            return


def is_mmseg(module: str) -> bool:
    return module.partition('.')[0] == 'mmseg'


def _lend(source: Source, listed: ast.expr, node: ast.Constant) -> None:
    start, end = source.span(node)
    first = source.span(listed)[0]
    quote = source.text[start]
    reason = f"{node.value} imports mmsegmentation's names, which {COMPAT} lends"
    if listed is node:
        source.edit(start, end, f"[{quote}{COMPAT}{quote}, {source.text[start:end]}]", reason)
    elif isinstance(listed, ast.List | ast.Tuple):
        place = source.span(listed.elts[0])[0]
        source.edit(place, place, f'{quote}{COMPAT}{quote}, ', reason)
    else:
        source.edit(first, first, f'[{quote}{COMPAT}{quote}] + ', reason)


def imports_mmseg(module: str, *folders: Path) -> bool:
    """Whether a module, or one beside it in its package, imports mmseg; it is read, not run."""
    for folder in [*folders, Path.cwd()]:
        for file in _files(module, folder):
            if _imports(file):
                return True
    return False


def _files(module: str, folder: Path) -> list[Path]:
    path = folder.joinpath(*module.split('.'))
    if path.with_suffix('.py').is_file():
        return [path.with_suffix('.py')]
    if path.is_dir():
        return sorted(path.rglob('*.py'))
    found = PathFinder.find_spec(module) if '.' not in module else None
    if found is None or not found.origin or not found.origin.endswith('.py'):
        return []
    places = found.submodule_search_locations
    return [file for place in places for file in sorted(Path(place).rglob('*.py'))] if places \
        else [Path(found.origin)]


def _imports(file: Path) -> bool:
    try:
        tree = ast.parse(file.read_text(encoding='utf-8'))
    except (SyntaxError, ValueError, OSError):  # its import says what is wrong with it
        return False
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names]
    named += [node.module for node in ast.walk(tree)
              if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return any(is_mmseg(name) for name in named)


# --- names nothing reads -----------------------------------------------------------------------

def _misspelt(source: Source) -> None:
    """Comment out what mmsegmentation passes over, and segplug takes for a slip."""
    read = source.names_read()
    for name, statement in source.statements().items():
        meant = slip_of(name, TOP_LEVEL_KEYS)
        if meant is None or name in read:
            continue
        start, end = source.line_span(*source.span(statement))
        lines = source.text[start:end].splitlines(keepends=True)
        source.edit(start, end, ''.join(f'# {line}' for line in lines),
                    f'mmsegmentation passes over {name!r}, so the config trains without it; '
                    f'segplug takes it for a misspelt {meant!r}. If that was meant, take the # '
                    'away and mend the name')


def _environment(source: Source) -> None:
    """Take keys out of ``env_cfg`` that mmengine passes over, and segplug refuses."""
    statement = source.statements().get('env_cfg')
    found = entries(source, statement.value if statement else None) or []
    remove(source, [(entry.start, entry.end) for entry in found],
           {i: f'nothing reads env_cfg.{entry.key}' for i, entry in enumerate(found)
            if entry.key and entry.key not in (*NESTED_KEYS['env_cfg'], '_delete_')})


def _aug_test(source: Source, resolved: dict) -> None:
    """Say in ``aug_test_cfg`` what an unusual ``tta_pipeline`` does."""
    statement = source.statements().get('tta_pipeline')
    wanted = aug_test_of(resolved.get('tta_pipeline'))
    if statement is None or wanted in (None, STANDARD_AUG_TEST) or 'aug_test_cfg' in resolved:
        return
    end = source.line_span(*source.span(statement))[1]
    break_before = '' if source.text[:end].endswith(('\n', '\r')) else '\n'
    source.edit(end, end, f'{break_before}aug_test_cfg = dict(scales={wanted["scales"]}, '
                f'flip={wanted["flip"]})\n',
                '`segplug test --aug-test` reads aug_test_cfg, not tta_pipeline, whose scales '
                'are not the standard ones', needed=False)


def aug_test_of(pipeline) -> dict | None:
    """``scales`` and ``flip`` of a ``tta_pipeline``; None where it does something else, too."""
    steps = [step for step in pipeline or () if isinstance(step, dict)]
    groups = next((step.get('transforms') for step in steps
                   if step.get('type') == 'TestTimeAug'), None)
    if not groups or not all(isinstance(group, list | tuple) for group in groups):
        return None
    made = [step for group in groups for step in group if isinstance(step, dict)]
    scales = [step.get('scale_factor') for step in made if step.get('type') == 'Resize']
    flips = {float(step.get('prob') or 0) for step in made if step.get('type') == 'RandomFlip'}
    if not scales or None in scales or not flips <= {0.0, 1.0}:
        return None
    return dict(scales=list(scales), flip=1.0 in flips)

