"""Transforms of mmsegmentation 0.x whose arguments have other names since 1.0."""

import ast

from .literals import WIDTH, Entry, by_key, entries, remove, text_of, type_of
from .source import Source

_SCALE = 'the size is called scale; the ratio was kept by default, and is kept when asked for'


def rewrite_transform(source: Source, node: ast.expr) -> None:
    """Rename what one transform's dict says in 0.x's words; others stay as they are."""
    kind, given = type_of(source, node), by_key(source, node)
    if kind == 'Resize' and {'img_scale', 'ratio_range', 'multiscale_mode'} & set(given):
        _resize(source, node, given)
    elif kind == 'RandomFlip' and 'flip_ratio' in given:
        rename(source, given['flip_ratio'], 'prob', 'flip_ratio is called prob')
    elif kind == 'Pad' and 'seg_pad_val' in given and 'size_divisor' not in given:
        _pad(source, node, given)
    if 'file_client_args' in given:
        file_client_args(source, node)


def rename(source: Source, entry: Entry, key: str, reason: str) -> None:
    """Give an entry another key."""
    quote = source.text[entry.start] if source.text[entry.start] in '\'"' else ''
    source.edit(entry.start, entry.start + len(entry.key) + 2 * len(quote),
                f'{quote}{key}{quote}', reason)


def put_value(source: Source, entry: Entry, text: str, reason: str) -> None:
    """Give an entry another value."""
    source.edit(entry.value_start, entry.end, text, reason)


def value_text(source: Source, entry: Entry) -> str:
    """The value of an entry as it is written, with the edits inside of it."""
    return source.rendered(entry.value_start, entry.end)[0]


def add_entries(source: Source, node: ast.expr, pairs: dict[str, str], reason: str) -> None:
    """Write entries behind the last one of a dict, on a line of their own where it has one."""
    found = entries(source, node)
    last = found[-1]
    sign, quote = ('=', '') if isinstance(node, ast.Call) else (': ', "'")
    start, end = source.line_span(last.end - 1, last.end)
    code = source.text[start:end].partition('#')[0].rstrip()
    first = next(entry for entry in found if source.line(entry.start) == source.line(last.start))
    column = first.start - source.line_span(first.start, first.start + 1)[0]
    texts = [f'{quote}{key}{quote}{sign}{value}' for key, value in pairs.items()]
    fits = len(code) + sum(len(text) + 2 for text in texts) <= WIDTH
    gap = ', ' if fits else ',\n' + ' ' * column
    source.edit(last.end, last.end, ''.join(gap + text for text in texts), reason)


def drop(source: Source, node: ast.expr, *keys: str, reason: str) -> None:
    """Take entries out of a dict."""
    found = entries(source, node)
    remove(source, [(entry.start, entry.end) for entry in found],
           {i: reason for i, entry in enumerate(found) if entry.key in keys})


def _resize(source: Source, node: ast.expr, given: dict[str, Entry]) -> None:
    if given.get('ratio_range') and not _is_none(given['ratio_range']):
        kind, key = 'RandomResize', 'scale'
        why = 'Resize with a ratio_range is RandomResize; ' + _SCALE
    elif 'img_scale' in given and _is_list(given['img_scale'].value):
        mode = given.get('multiscale_mode')
        kind, key = ('RandomChoiceResize', 'scales') if mode and text_of(mode.value) == 'value' \
            else ('RandomResize', 'scale')
        why = f'Resize between several sizes is {kind}; the ratio is kept when asked for'
    else:
        kind, key, why = 'Resize', 'scale', _SCALE
    if kind != 'Resize':
        put_value(source, given['type'], repr(kind), why)
    if 'img_scale' in given:
        rename(source, given['img_scale'], key, why)
    drop(source, node, 'multiscale_mode', *(
        ['ratio_range'] if 'ratio_range' in given and _is_none(given['ratio_range']) else []),
        reason=why)
    if 'keep_ratio' not in given:
        add_entries(source, node, dict(keep_ratio='True'), why)


def _pad(source: Source, node: ast.expr, given: dict[str, Entry]) -> None:
    why = "the padding of image and label is one dict, and the size is (W, H)"
    values = dict(img=given.get('pad_val'), seg=given['seg_pad_val'])
    texts = ', '.join(f'{key}={value_text(source, entry)}' for key, entry in values.items()
                      if entry)
    put_value(source, given['seg_pad_val'], f'dict({texts})', why)
    rename(source, given['seg_pad_val'], 'pad_val', why)
    drop(source, node, 'pad_val', reason=why)
    size = given.get('size')
    if size and isinstance(size.value, ast.Tuple | ast.List) and len(size.value.elts) == 2:
        height, width = (source.text[slice(*source.span(each))] for each in size.value.elts)
        put_value(source, size, f'({width}, {height})', why)
    elif size:
        put_value(source, size, f'{value_text(source, size)}[::-1]', why)


def file_client_args(source: Source, node: ast.expr) -> None:
    """mmengine's name for it; the local disk is the default."""
    entry = by_key(source, node)['file_client_args']
    backend = by_key(source, entry.value).get('backend')
    if backend is not None and text_of(backend.value) == 'disk':
        drop(source, node, 'file_client_args',
             reason='files are read from the disk when no backend_args say otherwise')
    else:
        rename(source, entry, 'backend_args', 'file_client_args is called backend_args')


def _is_none(entry: Entry) -> bool:
    return isinstance(entry.value, ast.Constant) and entry.value.value is None


def _is_list(node: ast.expr) -> bool:
    """Whether it is a list of sizes, two or more."""
    return isinstance(node, ast.List) and len(node.elts) > 1 and isinstance(
        node.elts[0], ast.Tuple | ast.List)
