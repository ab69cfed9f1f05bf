"""``data = dict(samples_per_gpu, train, val, test)`` of 0.x as three loaders, and its data sets."""

import ast

from .literals import Entry, assigned, by_key, dicts, entries, remove, text_of, written
from .old_names import CLASSES
from .old_transforms import rename, value_text
from .source import Source

_SPLITS = ('train', 'val', 'test')
_LOADER_KEYS = {'samples_per_gpu': 'batch_size', 'workers_per_gpu': 'num_workers'}
_KEPT_LOADER_KEYS = ('persistent_workers', 'pin_memory', 'drop_last', 'prefetch_factor')


def rewrite(source: Source, config: dict) -> None:
    """Put the edits of data sets and loaders into ``source``.

    Args:
        config: What the config at the end of the bases says.
    """
    for node in dicts(source):
        given = by_key(source, node)
        with_pipeline = {'split', 'classes', 'palette'} & set(given) and 'pipeline' in given
        if ({'img_dir', 'ann_dir'} & set(given) or with_pipeline) and not _listed(given):
            _dataset(source, node, given)
    for node in ast.walk(source.tree):
        if text_of(node) in CLASSES:
            quote = source.text[source.span(node)[0]]
            source.edit(*source.span(node), f'{quote}{CLASSES[node.value]}{quote}',
                        f'{node.value} is called {CLASSES[node.value]}')
    statement = source.statements().get('data')
    if statement is not None and is_old_data(source, statement.value):
        splits = [split for split in _SPLITS if split in (config.get('data') or {})
                  or f'{split}_dataloader' in config]
        _loaders(source, statement, splits or list(_SPLITS))


def is_old_data(source: Source, node: ast.expr) -> bool:
    """Whether ``data = ...`` is that of 0.x."""
    known = {*_LOADER_KEYS, *_SPLITS, *_KEPT_LOADER_KEYS, 'train_dataloader', 'val_dataloader',
             'test_dataloader', '_delete_'}
    given = entries(source, node)
    return bool(given) and {entry.key for entry in given} <= known and bool(
        {entry.key for entry in given} & {*_LOADER_KEYS, *_SPLITS})


# --- a data set ----------------------------------------------------------------------------------

_MERGED = {'img_dir': ('data_prefix', 'img_path'), 'ann_dir': ('data_prefix', 'seg_map_path'),
           'classes': ('metainfo', 'classes'), 'palette': ('metainfo', 'palette')}
_WHY = {'data_prefix': 'folders of a data set are its data_prefix',
        'metainfo': 'what is known of the classes is the metainfo of a data set'}


def _dataset(source: Source, node: ast.expr, given: dict[str, Entry]) -> None:
    """Rename a data set's arguments; what became one dict stands where its first part stood."""
    for old, new, why in (('split', 'ann_file', 'the list of names is the ann_file'),
                          ('file_client_args', 'backend_args',
                           'file_client_args is called backend_args')):
        if old in given:
            rename(source, given[old], new, why)
    groups: dict[str, list[tuple[str, Entry]]] = {}
    for key, entry in given.items():
        if key in _MERGED and not (key == 'palette' and _is_none(entry)):
            group, name = _MERGED[key]
            groups.setdefault(group, []).append((name, entry))
    doomed = {}
    listed = entries(source, node)
    for group, found in groups.items():
        _put_group(source, node, group, found)
        doomed |= {listed.index(entry): _WHY[group] for _, entry in found[1:]}
    if 'palette' in given and _is_none(given['palette']):
        doomed[listed.index(given['palette'])] = 'without a palette the data set makes its own'
    remove(source, [(entry.start, entry.end) for entry in listed], doomed)


def _put_group(source: Source, node: ast.expr, group: str,
               found: list[tuple[str, Entry]]) -> None:
    start, end = found[0][1].start, found[0][1].end
    line = source.text[source.line_span(start, start + 1)[0]:start]
    indent = len(line) - len(line.lstrip())
    text = written([(name, value_text(source, entry)) for name, entry in found], indent,
                   len(line) - indent + len(group) + 2)
    written_key = f'{group}=' if isinstance(node, ast.Call) else f"'{group}': "
    source.edit(start, end, written_key + text, _WHY[group])


def _is_none(entry: Entry) -> bool:
    return isinstance(entry.value, ast.Constant) and entry.value.value is None


# --- loaders ----------------------------------------------------------------------------------

def _loaders(source: Source, statement: ast.Assign, splits: list[str]) -> None:
    given = by_key(source, statement.value)
    texts = []
    for split in splits:
        pairs = _loader(source, given, split)
        if pairs:
            texts.append(assigned(f'{split}_dataloader', pairs))
    inner = source.rendered(*source.span(statement))[1]
    source.edit(*source.span(statement), '\n'.join(texts),
                'each split has a data loader of its own, with batch_size and num_workers on '
                'each process; training goes on over the end of the data, a test does not',
                inner=inner)


def _loader(source: Source, given: dict[str, Entry], split: str) -> list[tuple[str, str]]:
    """The entries of one loader."""
    sizes = {_LOADER_KEYS.get(key, key): value_text(source, given[key])
             for key in (*_LOADER_KEYS, *_KEPT_LOADER_KEYS) if key in given}
    own = given.get(f'{split}_dataloader')
    if split != 'train' and 'batch_size' in sizes:
        sizes['batch_size'] = '1'
    if own is not None:
        sizes |= {_LOADER_KEYS.get(key, key): value_text(source, entry)
                  for key, entry in by_key(source, own.value).items()}
    dataset = given.get(split)
    pairs = list(sizes.items())
    whole = dataset is not None and 'type' in _keys(source, dataset.value)
    if whole:
        pairs.append(('sampler', "dict(type='InfiniteSampler', shuffle=True)" if split == 'train'
                      else "dict(type='DefaultSampler', shuffle=False)"))
    if dataset is not None:
        pairs.append(('dataset', _of_split(source, dataset, split)))
    return pairs


def _keys(source: Source, node: ast.expr) -> set[str]:
    if isinstance(node, ast.List | ast.Name):
        return {'type'}  # several data sets, or a variable that holds one
    return set(by_key(source, node))


def _of_split(source: Source, dataset: Entry, split: str) -> str:
    if isinstance(dataset.value, ast.List):
        return f"dict(type='ConcatDataset', datasets={value_text(source, dataset)})"
    if _listed(by_key(source, dataset.value)):
        return _several(source, dataset.value, f'_base_.{split}_dataloader.dataset')
    return value_text(source, dataset)


# --- several folders or lists in one data set --------------------------------------------------

_LISTS = {'img_dir': 'img_path', 'ann_dir': 'seg_map_path', 'split': 'ann_file'}


def _listed(given: dict[str, Entry]) -> list[str]:
    """The keys that name several folders or files, which 0.x joined."""
    return [key for key in _LISTS if key in given
            and isinstance(given[key].value, ast.List | ast.Tuple)]


def _several(source: Source, node: ast.expr, base: str) -> str:
    """One data set for each of the folders, joined; what this file leaves out is the base's."""
    given = by_key(source, node)
    lists = {key: given[key].value.elts for key in _listed(given)}
    whole = 'type' in given
    shared = [(key, value_text(source, entry)) for key, entry in given.items()
              if key not in (*_LISTS, '_delete_')]
    joined = []
    for i in range(max(map(len, lists.values()))):
        own = {key: source.text[slice(*source.span(lists[key][min(i, len(lists[key]) - 1)]))]
               if key in lists else value_text(source, given[key])
               for key in _LISTS if key in given}
        folders = [f'{_LISTS[key]}={own[key]}' for key in ('img_dir', 'ann_dir') if key in own]
        parts = [f'{key}={text}' for key, text in shared]
        if folders:
            first = [] if whole else [f'{base}.data_prefix']
            parts.append(f'data_prefix=dict({", ".join(first + folders)})')
        parts += [f'ann_file={own["split"]}'] if 'split' in own else []
        joined.append('dict(' + ',\n                 '.join([*([] if whole else [base]), *parts])
                      + ')')
    inner = ',\n            '.join(joined)
    delete = '' if whole else '_delete_=True, '
    return f"dict(\n        {delete}type='ConcatDataset', datasets=[\n            {inner}])"
