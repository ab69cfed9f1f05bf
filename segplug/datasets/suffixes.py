"""How the names of images and labels end: one end or several, and which ends fit a folder.

Pure functions over names. A set whose images are .jpg and .png has two ends; of the ends that a
name has, the longest counts.
"""

import itertools
import os
import re
from collections import Counter
from collections.abc import Sequence

from ..errors import ConfigError

Suffix = str | Sequence[str]


def as_tuple(suffix: Suffix) -> tuple[str, ...]:
    """The ends that ``img_suffix`` or its like names.

    Raises:
        ConfigError: It is an empty list.
    """
    ends = (suffix,) if isinstance(suffix, str) else tuple(suffix)
    if not ends:
        raise ConfigError('A list of suffixes is empty.', expected="'.jpg' or ('.jpg', '.png')",
                          fix='name one or more, or leave it out')
    return ends


def stem_of(name: str, suffix: Suffix) -> str | None:
    """``name`` without the longest of the ends that it has; None where it has none.

    >>> stem_of('a/1_rgb.png', ('.png', '_rgb.png')), stem_of('b.tif', '.png')
    ('a/1', None)
    """
    fits = [end for end in as_tuple(suffix) if name.endswith(end)]
    return name.removesuffix(max(fits, key=len)) if fits else None


def pattern(suffix: Suffix) -> str:
    """As a shell writes it: '*.jpg', '*{.jpg,.png}'."""
    ends = as_tuple(suffix)
    return '*' + (ends[0] if len(ends) == 1 else '{' + ','.join(ends) + '}')


def better(images: list[str], labels: list[str], given: tuple[Suffix, Suffix]
           ) -> tuple[Suffix, str, int] | None:
    """Ends of names that pair more images with labels than ``given``, and how many they pair.

    Tried are the most frequent end of either kind and its extension; of those that pair equally
    many the shortest are taken. Where images of other extensions have labels too, all are named.

    Args:
        images, labels: Names relative to their folders.
        given: End of the images' names, and of the labels'.

    Returns:
        The two ends and the number of pairs, or None.
    """
    tried = [(_pairs(images, labels, ends), -len(''.join(ends)), *ends)
             for ends in itertools.product(_usual_ends(images), _usual_ends(labels))]
    pairs, _, image_end, label_end = max(tried, default=(0, 0, '', ''))
    several = [ext for ext, _ in Counter(os.path.splitext(n)[1] for n in images).most_common()
               if _pairs(images, labels, (ext, label_end))]
    if len(several) > 1 and (of_all := _pairs(images, labels, (several, label_end))) > pairs:
        image_end, pairs = tuple(several), of_all
    return (image_end, label_end, pairs) if pairs > _pairs(images, labels, given) else None


def _pairs(images: list[str], labels: list[str], ends: tuple[Suffix, Suffix]) -> int:
    stems = [{stem_of(name, end) for name in names} - {None}
             for names, end in zip((images, labels), ends, strict=True)]
    return len(stems[0] & stems[1])


def _usual_ends(names: list[str]) -> set[str]:
    """The most frequent of `ending`, and its extension."""
    if not names:
        return set()
    (end, _), = Counter(map(ending, names)).most_common(1)
    return {end, os.path.splitext(end)[1]} - {''}


def ending(name: str) -> str:
    """What tells kinds of files apart: '_gtFine_labelIds.png' or '.jpg'."""
    stem, ext = os.path.splitext(os.path.basename(name))
    parts = stem.split('_')
    words = []
    while len(parts) > 1 and not re.search(r'\d\d', parts[-1]):
        words.insert(0, parts.pop())
    return ''.join('_' + w for w in words) + ext
