"""Pipelines of mmsegmentation 0.x: normalising and padding went into the model's preprocessor.

A test pipeline had its steps inside MultiScaleFlipAug; they are in the list itself now, without
augmentation, which `segplug test --aug-test` adds.
"""

import ast
from dataclasses import dataclass, field

from .literals import assigned, by_key, dicts, entries, followed, remove, remove_statement, type_of
from .old_transforms import rewrite_transform, value_text
from .source import Source, is_cut

_FINAL = {'Collect', 'DefaultFormatBundle', 'ImageToTensor', 'MultiScaleFlipAug'}
_GONE = {
    'Normalize': 'the data_preprocessor normalises, on the device',
    'Pad': 'the data_preprocessor pads, after it has normalised',
    'DefaultFormatBundle': 'PackSegInputs does this',
    'ImageToTensor': 'PackSegInputs does this'}
_LOAD = "dict(type='LoadAnnotations')"
_PACK = "dict(type='PackSegInputs')"


@dataclass
class Taken:
    """What pipelines did and the preprocessor does now: argument -> text, and where to say it."""

    values: dict[str, str] = field(default_factory=dict)
    place: int = 0
    names: set[str] = field(default_factory=set)


def rewrite(source: Source, name: str) -> None:
    """Put the edits of a file's pipelines into ``source``, and their preprocessor under a name."""
    for node in dicts(source):
        if type_of(source, node) != 'Pad':
            rewrite_transform(source, node)
    taken = Taken()
    inside = {id(below) for node in ast.walk(source.tree)
              if type_of(source, node) == 'MultiScaleFlipAug' for below in ast.walk(node)
              if isinstance(below, ast.List)}
    for statement in source.tree.body:
        lists = [node for node in ast.walk(statement) if isinstance(node, ast.List)
                 and id(node) not in inside
                 and _FINAL & {type_of(source, item) for item in node.elts}]
        for node in lists:
            _rewrite_list(source, node, taken)
        if lists and not taken.place:
            taken.place = source.line_span(*source.span(statement))[1]
    for node in dicts(source):
        if type_of(source, node) == 'Pad' and not is_cut(source, node):
            rewrite_transform(source, node)
    if taken.values:
        _preprocessor(source, taken, name)


def _rewrite_list(source: Source, node: ast.List, taken: Taken) -> None:
    doomed, normalised = {}, False
    kinds = [type_of(source, item) for item in node.elts]
    for number, item in enumerate(node.elts):
        kind = kinds[number]
        normalised = normalised or kind == 'Normalize'
        if kind == 'Pad' and 'Normalize' in kinds and not normalised:
            continue
        if kind in _GONE:
            doomed[number] = _GONE[kind]
            _take(source, item, kind, taken)
        elif kind == 'Collect':
            source.edit(*source.span(item), _PACK,
                        'Collect is PackSegInputs: one sample of image, label and meta data')
        elif kind == 'MultiScaleFlipAug':
            _flatten(source, item, taken, _load_annotations(source))
    remove(source, [source.span(item) for item in node.elts], doomed)


def _take(source: Source, item: ast.expr, kind: str, taken: Taken, test: bool = False) -> None:
    """Keep what a transform that goes says about normalising and padding."""
    given = {entry.key: value_text(source, entry) for entry in entries(source, item)
             if entry.key not in (None, 'type')}
    if kind == 'Normalize':
        for entry in entries(source, item):
            if entry.key is None:
                taken.names |= {entry.value.id} if isinstance(entry.value, ast.Name) else set()
                given |= {key: value_text(source, each) for key, each in by_key(
                    source, followed(source, entry.value)).items()}
        if 'mean' in given:
            taken.values.update(mean=given['mean'], std=given['std'],
                                bgr_to_rgb=given.get('to_rgb', 'True'))
    elif kind == 'Pad' and test:
        if 'size_divisor' in given:
            taken.values['test_cfg'] = f'dict(size_divisor={given["size_divisor"]})'
    elif kind == 'Pad':
        taken.values.update({key: given[key] for key in (
            'size', 'size_divisor', 'pad_val', 'seg_pad_val') if given.get(key, 'None') != 'None'})


def _load_annotations(source: Source) -> str:
    """How the training pipeline of the file loads labels."""
    for node in ast.walk(source.tree):
        if type_of(source, node) == 'LoadAnnotations':
            text = source.rendered(*source.span(node))[0]
            return _LOAD if '#' in text else ' '.join(text.split())
    return _LOAD


def _flatten(source: Source, item: ast.expr, taken: Taken, load: str) -> None:
    """The steps of MultiScaleFlipAug in its place, and what it augments as ``aug_test_cfg``."""
    given = by_key(source, item)
    steps = followed(source, given['transforms'].value) if 'transforms' in given else None
    if not isinstance(steps, ast.List):
        return
    texts, inner = [], []
    for step in steps.elts:
        kind = type_of(source, step)
        if kind in ('Normalize', 'Pad'):
            _take(source, step, kind, taken, test=True)
        elif kind == 'Resize':
            texts.append(_test_resize(source, step, given))
        elif kind == 'Collect':
            texts += [load, _PACK]
        elif kind not in ('RandomFlip', 'ImageToTensor', 'DefaultFormatBundle'):
            text, reasons = source.rendered(*source.span(step))
            texts.append(text)
            inner += reasons
    start, end = source.span(item)
    blanks = start - source.line_span(start, start + 1)[0]
    alone = not source.text[start - blanks:start].strip()
    _aug_test(source, item, given)
    source.edit(start, end, (',\n' + ' ' * blanks if alone else ', ').join(texts),
                'a test pipeline prepares one image, once; the label is loaded after Resize, '
                'as predictions are scored at its size', inner=inner)


def _test_resize(source: Source, step: ast.expr, given: dict) -> str:
    own = {entry.key: value_text(source, entry) for entry in entries(source, step)
           if entry.key not in (None, 'type', 'img_scale', 'scale')}
    scale = value_text(source, given['img_scale']) if 'img_scale' in given else 'None'
    size = dict(scale_factor='1.0') if scale == 'None' else dict(scale=scale)
    arguments = dict(type="'Resize'", **size, keep_ratio='True') | own
    return f'dict({", ".join(f"{key}={text}" for key, text in arguments.items())})'


def _aug_test(source: Source, item: ast.expr, given: dict) -> None:
    ratios = value_text(source, given['img_ratios']) if 'img_ratios' in given else 'None'
    flip = value_text(source, given['flip']) if 'flip' in given else 'False'
    if ratios == 'None' and flip == 'False' or 'aug_test_cfg' in source.statements():
        return
    statement = next(each for each in source.tree.body if each.lineno <= item.lineno
                     <= each.end_lineno)
    end = source.line_span(*source.span(statement))[1]
    text = assigned('aug_test_cfg', [
        ('scales', '[1.0]' if ratios == 'None' else ratios), ('flip', flip)])
    source.edit(end, end, f'{_line_break(source, end)}{text}\n',
                'scales and flips of MultiScaleFlipAug: `segplug test --aug-test` reads them here')


def _preprocessor(source: Source, taken: Taken, name: str) -> None:
    pairs = [('type', "'SegDataPreProcessor'"), *taken.values.items()]
    end = taken.place
    source.edit(end, end, f'{_line_break(source, end)}{assigned(name, pairs)}\n',
                'normalising and padding are settings of the data_preprocessor')
    for variable in taken.names:
        statement = source.statements().get(variable)
        uses = [node for node in ast.walk(source.tree) if isinstance(node, ast.Name)
                and node.id == variable and isinstance(node.ctx, ast.Load)]
        left = [node for node in uses if not is_cut(source, node)]
        if statement is not None and not left:
            remove_statement(source, statement, 'the data_preprocessor holds these numbers')


def _line_break(source: Source, place: int) -> str:
    """A break where the file ends without one."""
    return '' if not place or source.text[:place].endswith(('\n', '\r')) else '\n'
