"""Findings about label values: what is no class, what is one too high, what is never there.

Letters: K classes.
"""

from collections.abc import Iterator

from .finding import ERROR, NOTE, WARNING, Finding, named, number_of
from .tally import Part, Tally

_COMMON = 1e-3  # share of the pixels from which a value is no stray one
_RARE = 1e-2  # share of the pixels below which label 0 can be what nobody labelled
_SHOWN = 10  # values in one sentence


def value_findings(part: Part, found: Tally) -> Iterator[Finding]:
    """What is wrong with the values of ``part``, whose sums are ``found``."""
    if not found.raw:
        return
    if found.all_ignored:
        yield _all_ignored(part, found)
    if part.num_classes is None:
        return
    if part.ignore_index in part.ids:
        yield _ignored_class(part)
    binary = _is_binary_255(part, found)
    if binary:
        yield _binary(part, found)
    elif found.outside:
        yield from _outside(part, found)
    elif part.is_whole:
        yield from _reduced_wrongly(part, found)
    if part.is_whole and not binary and not found.outside:
        yield from _empty(part, found)


def _all_ignored(part: Part, found: Tally) -> Finding:
    every = len(found.all_ignored) == len(part.good_labels)
    return Finding('all_ignored', ERROR if every else WARNING, part.name,
                   f'{len(found.all_ignored)} of {len(part.good_labels)} labels have no pixel with '
                   'a class.', 'They teach and score nothing; a batch of them has no loss.',
                   advice='correct the maps of values (label_map, reduce_zero_label, classes)'
                   if every else 'leave them out with ann_file, if they are not meant so',
                   **named(found.all_ignored))


def _ignored_class(part: Part) -> Finding:
    free = 65535 if part.num_classes <= 65535 else part.num_classes
    return Finding('ignore_index_is_a_class', ERROR, part.name,
                   f'ignore_index={part.ignore_index} is also class {part.ignore_index} of '
                   f'{part.num_classes}.', 'That class is never learned.',
                   advice=f'set ignore_index={free} in every head and metric, too, and '
                          f'seg_pad_val={free} in the preprocessor',
                   mending=part.place.set(f'ignore_index={free}'))


def _is_binary_255(part: Part, found: Tally) -> bool:
    """Values 0 and 255 alone, though two classes are expected."""
    return (part.num_classes <= 2 and part.ignore_index == 255 and not part.reduce_zero_label
            and set(found.raw) == {0, 255} and not found.pixels[1])


def _binary(part: Part, found: Tally) -> Finding:
    return Finding('binary_255', ERROR, part.name,
                   f'Labels are 0 and 255 ({_share(found.raw[255], found)} of the pixels), never '
                   '1.', '255 is ignored, so class 1 has no pixel, and everything is class 0.',
                   mending=part.place.set_loader('value_map={255: 1}'))


def _share(pixels: int, found: Tally) -> str:
    share = 100 * pixels / max(found.num_pixels, 1)
    return f'{share:.2g} %' if share >= 0.01 or not pixels else 'under 0.01 %'


def _outside(part: Part, found: Tally) -> Iterator[Finding]:
    """Values that are no class: by one, 255, or others."""
    raw_outside = {raw for value in found.outside for raw in found.raw_of[value]}
    if part.ignore_index != 255 and raw_outside == {255}:
        yield Finding('value_255_is_no_class', ERROR, part.name,
                      f'255 stands in {number_of(found.raw_images[255], "labels")}, ignore_index '
                      f'is {part.ignore_index}.', '255 mostly marks what has no class; here it '
                      'counts as a class that does not exist.',
                      advice='or, where 255 is a class, LoadAnnotations(value_map={255: id})',
                      mending=part.place.set_loader(f'value_map={{255: {part.ignore_index}}}'),
                      **_per_file(found))
    elif _is_off_by_one(part, found, raw_outside):
        yield _off_by_one(part, found)
    else:
        yield _out_of_range(part, found, raw_outside)


def _is_off_by_one(part: Part, found: Tally, raw_outside: set[int]) -> bool:
    """Values 0 or 1 to K, with K not merely a stray pixel."""
    if part.reduce_zero_label or part.value_map or raw_outside != {part.num_classes} \
            or any(info.get('label_map') for info in part.infos):
        return False
    return not found.raw.get(0) or found.raw[part.num_classes] >= _COMMON * found.num_pixels


def _off_by_one(part: Part, found: Tally) -> Finding:
    zero, last = found.raw.get(0, 0), part.num_classes
    if zero < _RARE * found.num_pixels:
        what = 'Labels count from 1: ' + (f'0 has {_share(zero, found)} of the pixels'
                                          if zero else '0 is absent') + f', {last} is there.'
        advice = ''
    else:
        what = f'Labels are 0 to {last}, one more than there are classes; 0 has ' \
            f'{_share(zero, found)} of the pixels.'
        advice = "this ignores 0. If 0 is a background to be learned, name it as the first class " \
            "instead: metainfo=dict(classes=('background', ...)), and one more in num_classes"
    return Finding('off_by_one', ERROR, part.name, what,
                   f'Classes are 0 to {last - 1}, so {last} is out of range and the others bear '
                   'the name of their neighbour.', advice=advice,
                   mending=part.place.set('reduce_zero_label=True'), **_per_file(found))


def _out_of_range(part: Part, found: Tally, raw_outside: set[int]) -> Finding:
    values = sorted(raw_outside)
    advice = 'that ignores them; where a value is a class, put its id in place of ' \
        f'{part.ignore_index}, or add the class to metainfo'
    if 'labelIds' in part.suffix:
        advice = "use the files of train ids: seg_map_suffix='_gtFine_labelTrainIds.png'"
    merged = {**(part.value_map or {}), **dict.fromkeys(values[:40], part.ignore_index)}
    line = ', '.join(f'{old}: {new}' for old, new in merged.items())
    counts = ', '.join(f'{v} ({number_of(found.raw[v], "pixels")} in '
                       f'{number_of(found.raw_images[v], "labels")})' for v in values[:_SHOWN])
    return Finding('value_out_of_range', WARNING if part.maps_further else ERROR, part.name,
                   f'{number_of(len(values), "values are")} no class: {counts}'
                   + ('.' if len(values) <= _SHOWN else ', ...'),
                   f'Classes are 0 to {len(found.pixels) - 1}, and {part.ignore_index} is ignored; '
                   'any other value stops training.', advice=advice,
                   mending=part.place.set_loader(f'value_map={{{line}}}'), **_per_file(found))


def _per_file(found: Tally) -> dict:
    """The files with values outside, the worst first, with what stands in them."""
    per_file: dict[str, dict[int, int]] = {}
    for value, counts in found.outside.items():
        for path, count in counts.items():
            per_file.setdefault(path, {})[value] = count
    order = sorted(per_file, key=lambda path: (-sum(per_file[path].values()), path))
    return named(f'{path}: ' + ', '.join(
        f'{v} in {number_of(n, "pixels")}'
        for v, n in sorted(per_file[path].items())[:3]) for path in order)


def _reduced_wrongly(part: Part, found: Tally) -> Iterator[Finding]:
    """reduce_zero_label, though the values are 0 to K - 1 already, every one of them."""
    last = part.num_classes - 1
    values = {v for v in found.raw if v != part.ignore_index}
    if part.reduce_zero_label and last > 0 and values == set(range(last + 1)):
        yield Finding('reduced_without_need', WARNING, part.name,
                      f'reduce_zero_label is set, but labels are 0 to {last}, as many as there are '
                      f'classes.', f'0 ({_share(found.raw[0], found)} of the pixels) is ignored '
                      f'and class {last}, {part.class_name(last)!r}, is never there.',
                      advice='in LoadAnnotations as well, if it is set there; unless 0 is no '
                             'class and the last class is absent',
                      mending=part.place.set('reduce_zero_label=False'))


def _empty(part: Part, found: Tally) -> Iterator[Finding]:
    empty = [k for k in part.ids if not found.pixels[k]]
    if not empty or not found.num_labelled:
        return
    names = ', '.join(part.class_name(k) for k in empty[:_SHOWN])
    names += f' and {len(empty) - _SHOWN} more' * (len(empty) > _SHOWN)
    kept = [part.class_name(k) for k in part.ids if k not in empty]
    advice = ''
    if part.is_training and len(part.classes) == len(part.ids):
        advice = 'if they are meant to be absent, leave them out: metainfo=dict(classes=' + (
            f'{tuple(kept)!r}' if len(kept) <= 40 else '(...)') + f') and num_classes={len(kept)}'
    yield Finding('empty_class', WARNING if part.is_training else NOTE, part.name,
                  f'{len(empty)} of {len(part.ids)} classes have no pixel: {names}.',
                  'They cannot be learned.' if part.is_training else
                  'Where they are not predicted either, their IoU is nan and no part of the mean.',
                  advice=advice)
