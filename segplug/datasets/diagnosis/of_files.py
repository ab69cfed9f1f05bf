"""Findings about files: missing, broken, of another size, or no labels at all."""

from collections.abc import Iterator

import numpy as np

from . import facts as kinds
from .facts import LabelFacts
from .finding import ERROR, WARNING, Finding, named, number_of
from .tally import Part

_LEAVE_OUT = "mend or replace the files, or leave them out with ann_file='names.txt' in the data " \
    'set, a text file with the names of the good ones'
_MAX_COLOURS = 40  # of a proposed color_map that stand in one line
_RARE = 1e-4  # share of the pixels of a colour below which it is no class of its own


def file_findings(part: Part) -> Iterator[Finding]:
    """What is wrong with files of ``part``, one finding per kind of fault."""
    yield from _pairs(part)
    yield from _images(part)
    yield from _sizes(part)
    by_kind: dict[str, list[LabelFacts]] = {}
    for label in part.labels:
        if label.problem:
            by_kind.setdefault(label.problem, []).append(label)
    lossy = [f.path for f in part.labels if f.is_lossy]
    if lossy:
        yield _lossy(part, lossy)
        by_kind.pop(kinds.PHOTO, None)  # the same cause
    for kind, found in by_kind.items():
        yield _BY_KIND[kind](part, found)


def _pairs(part: Part) -> Iterator[Finding]:
    if part.without_label:
        yield Finding(
            'images_without_labels', ERROR, part.name,
            f'{len(part.without_label)} of {len(part.without_label) + len(part.infos)} images '
            'have no label.', 'The data set stops before training.',
            advice=f'give them labels that end in {part.suffix!r}, correct seg_map_suffix, or list '
                   "the others in a file: ann_file='names.txt'", **named(part.without_label))
    if part.spare_labels:
        yield Finding(
            'labels_without_images', WARNING, part.name,
            f'{number_of(len(part.spare_labels), "label files belong")} to no image.',
            'Images may be missing, or lie elsewhere or under other names.',
            advice='add the images, or move the labels away', **named(part.spare_labels))


def _images(part: Part) -> Iterator[Finding]:
    broken = [f'{f.path}: {f.reason}' for f in part.images if f.reason]
    if broken:
        yield Finding('unreadable_image', ERROR, part.name,
                      f'{number_of(len(broken), "images cannot")} be read.',
                      'Training stops at the first of them.', advice=_for_images(part),
                      **named(broken))


def _for_images(part: Part) -> str:
    """cv2 and Pillow decode no TIFF of more than four channels: then the files are good."""
    is_tiff = any(f.reason and f.path.lower().endswith(('.tif', '.tiff')) for f in part.images)
    return ("TIFF of more than four channels needs imdecode_backend='tifffile' and "
            "color_type='unchanged' in LoadImageFromFile; otherwise " if is_tiff else '') \
        + _LEAVE_OUT


def _sizes(part: Part) -> Iterator[Finding]:
    differ, turned = [], []
    for image, label in zip(part.images, part.labels, strict=True):
        if image.shape is None or label.shape is None:
            continue
        orientation = image.orientation if part.turns_images else 1
        shape = image.shape[::-1] if orientation >= 5 else image.shape
        if orientation > 1 and (orientation < 5 or shape[0] == shape[1]):
            turned.append(f'{image.path}: orientation {orientation}')
        elif shape != label.shape:
            differ.append(f'{label.path}: label {_size(label.shape)}, image {_size(shape)}')
    if differ:
        yield Finding('size_differs', ERROR, part.name,
                      f'{number_of(len(differ), "labels have")} another size than their image.',
                      'Which pixel belongs to which cannot be known; training stops there.',
                      advice='write label and image in one size (labels resized by nearest '
                             'neighbour); or ' + _LEAVE_OUT, **named(differ))
    if turned:
        yield Finding('exif_orientation', ERROR, part.name,
                      f'{number_of(len(turned), "images are")} turned by their EXIF orientation, '
                      'and nothing tells whether their labels are.', 'Training stops there.',
                      advice="if the labels were drawn on the image as it lies in the file, "
                             "LoadImageFromFile(color_type='color_ignore_orientation'); else write "
                             'the images turned, without the tag', **named(turned))


def _size(shape: tuple[int, int]) -> str:
    return f'{shape[1]}x{shape[0]}'


def _lossy(part: Part, paths: list[str]) -> Finding:
    return Finding(
        'lossy_labels', ERROR, part.name,
        f'{number_of(len(paths), "labels are")} JPEG or lossy WebP files.',
        'These formats change pixel values: at every border there are ids that nobody drew.',
        advice='draw or export the labels anew as PNG and set seg_map_suffix; converting these '
               'files keeps the damage', **named(paths))


def _unreadable(part: Part, found: list[LabelFacts]) -> Finding:
    return Finding('unreadable_label', ERROR, part.name,
                   f'{number_of(len(found), "labels cannot")} be read.',
                   'Training stops at the first of them.', advice=_LEAVE_OUT,
                   **named(f'{f.path}: {f.reason}' for f in found))


def _colour_mask(part: Part, found: list[LabelFacts]) -> Finding:
    colours = _sum_colours(found)
    line, unsure = proposed_color_map(colours, part)
    advice = 'make all labels of one kind: color_map is for every file of a data set' \
        if part.good_labels else ''
    if unsure:
        advice = f'{unsure}{"; " + advice if advice else ""}'
    return Finding('colour_mask', ERROR, part.name,
                   f'{number_of(len(found), "labels are")} colour masks, with {len(colours)} '
                   'colours in all.',
                   'Labels are read as class ids, one channel; colours need a color_map.',
                   advice=advice, mending=part.place.set_loader(f'color_map={{{line}}}'),
                   **named(f.path for f in found))


def _sum_colours(found: list[LabelFacts]) -> dict[int, int]:
    total: dict[int, int] = {}
    for label in found:
        for colour, count in (label.colours or {}).items():
            total[colour] = total.get(colour, 0) + count
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def proposed_color_map(colours: dict[int, int], part: Part) -> tuple[str, str]:
    """The items of a color_map as text, and what a person has to decide, or ''.

    Colours of the data set's palette get its ids. Without any of these: black and white alone
    are 0 and 1, others are numbered by frequency, which is a guess. Colours left over are ignored.
    """
    known = {red << 16 | green << 8 | blue: k
             for k, (red, green, blue) in reversed(list(enumerate(part.palette)))}
    ids, unsure = {c: known[c] for c in colours if c in known}, ''
    is_binary = set(colours) <= {0, 0xffffff} and part.num_classes in (1, 2, None)
    if is_binary or not ids:
        order = [0, 0xffffff] if is_binary else list(colours)
        ids = {c: k if k < (part.num_classes or len(order)) else part.ignore_index
               for k, c in enumerate(order)}
        if not is_binary:
            unsure = 'the palette has none of these colours, so ids are given by frequency: put ' \
                'the right ones in'
    elif len(ids) < len(colours):
        unsure = 'colours that are not in the palette are ignored (255): see that this is right'
    rest = {c: part.ignore_index for c in colours if c not in ids}
    items = sorted({**ids, **rest}.items(), key=lambda item: (item[1], item[0]))
    shown = ', '.join(f"'#{c:06x}': {k}" for c, k in items[:_MAX_COLOURS])
    if len(items) > _MAX_COLOURS:
        unsure += f'; {len(items) - _MAX_COLOURS} more colours are left out of the line'
    return shown, unsure.removeprefix('; ')


def _grey(part: Part, found: list[LabelFacts]) -> Finding:
    values = sorted(c & 255 for c in _sum_colours(found))
    items = ', '.join(f"'#{v:02x}{v:02x}{v:02x}': {v}" for v in values)
    return Finding('grey_as_colour', ERROR, part.name,
                   f'{number_of(len(found), "labels hold")} ids, but thrice: as red, green and '
                   'blue.',
                   'A label has one channel. The three are equal, so nothing is lost.',
                   advice='or write the files anew with one channel',
                   mending=part.place.set_loader(f'color_map={{{items}}}'),
                   **named(f.path for f in found))


def _palette(part: Part, found: list[LabelFacts]) -> Finding:
    return Finding('palette_as_colour', ERROR, part.name,
                   f'{number_of(len(found), "labels are")} palette files, which cv2 turns to '
                   'colour.',
                   "The ids are the files' indices, which Pillow reads.",
                   mending=part.place.set_loader("imdecode_backend='pillow'"),
                   **named(f.path for f in found))


def _photo(part: Part, found: list[LabelFacts]) -> Finding:
    return Finding('label_is_a_photo', ERROR, part.name,
                   f'{number_of(len(found), "labels have")} more colours than a mask can have.',
                   'They are photographs, pictures with labels over them, or masks that were '
                   'resized or compressed.',
                   advice='correct data_prefix.seg_map_path and seg_map_suffix; masks are resized '
                          'by nearest neighbour and saved as PNG',
                   **named(f'{f.path}: {f.reason}' for f in found))


def _unknown(part: Part, found: list[LabelFacts]) -> Finding:
    colours = _sum_colours(found)
    items = [*part.color_items, *((f'#{c:06x}', part.ignore_index)
                                  for c in list(colours)[:_MAX_COLOURS])]
    line = ', '.join(f"'{colour}': {k}" for colour, k in items)
    stray = sum(colours.values()) < _RARE * sum(int(np.prod(f.shape)) for f in found)
    return Finding('unknown_colours', ERROR, part.name,
                   f'{number_of(len(found), "labels have")} colours that color_map does not hold: '
                   + ', '.join(f'#{c:06x} in {number_of(n, "pixels")}'
                               for c, n in list(colours.items())[:5]) + '.',
                   'Training stops there.',
                   advice='' if stray else f'{part.ignore_index} is ignored: put ids in its place '
                   'where the colour is a class',
                   mending=part.place.set_loader(f'color_map={{{line}}}'),
                   **named(f.path for f in found))


def _no_ids(part: Part, found: list[LabelFacts]) -> Finding:
    return Finding('label_is_no_ids', ERROR, part.name,
                   f'{number_of(len(found), "labels hold")} no class ids: fractions, negative '
                   'numbers or several channels.', 'Nothing is rounded here; training stops there.',
                   advice='write whole numbers from 0 to 65535, ignored pixels as 255',
                   **named(f'{f.path}: {f.reason}' for f in found))


_BY_KIND = {kinds.UNREADABLE: _unreadable, kinds.COLOUR: _colour_mask, kinds.GREY: _grey,
            kinds.PALETTE: _palette, kinds.PHOTO: _photo, kinds.UNKNOWN: _unknown,
            kinds.NOT_IDS: _no_ids}
