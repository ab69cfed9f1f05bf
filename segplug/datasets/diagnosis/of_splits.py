"""Findings between parts of the data: images in two splits, classes that training never sees."""

import hashlib
import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from .finding import ERROR, WARNING, Finding, named, number_of
from .tally import Part, Tally

_CHUNK = 1 << 16  # bytes


def split_findings(parts: Sequence[Part], tallies: Sequence[Tally]) -> Iterator[Finding]:
    """What is wrong between ``parts``, each with its sums."""
    yield from _other_classes(parts)
    yield from _unseen(parts, tallies)
    yield from _shared_images(parts)


def _other_classes(parts: Sequence[Part]) -> Iterator[Finding]:
    named_parts = [part for part in parts if part.classes]
    for part in named_parts[1:]:
        first = named_parts[0]
        if tuple(part.classes) != tuple(first.classes):
            at = next((k for k, (a, b) in enumerate(zip(first.classes, part.classes, strict=False))
                       if a != b), min(len(first.classes), len(part.classes)))
            yield Finding('classes_differ', ERROR, part.name,
                          f'It has {len(part.classes)} classes, {first.name} has '
                          f'{len(first.classes)}; from class {at} on they differ.',
                          'A label value means one thing in training and another in the score.',
                          mending=part.place.set(f'metainfo=dict(classes={tuple(first.classes)!r})'))


def _unseen(parts: Sequence[Part], tallies: Sequence[Tally]) -> Iterator[Finding]:
    """Classes that are scored and never learned."""
    pairs = [(p, t) for p, t in zip(parts, tallies, strict=True) if p.num_classes and t.raw]
    learned = [(p, t) for p, t in pairs if p.is_training]
    if not learned or not all(p.is_whole for p, _ in learned):
        return
    seen = {k for _, t in learned for k in range(len(t.pixels)) if t.pixels[k]}
    for part, found in pairs:
        lost = [k for k in part.ids if found.pixels[k] and k not in seen]
        if not part.is_training and lost:
            yield Finding('class_missing_in_train', WARNING, part.name,
                          'Classes are scored that no label of the training has: '
                          + ', '.join(part.class_name(k) for k in lost[:10])
                          + (' ...' if len(lost) > 10 else '') + '.',
                          'Their IoU is 0, which lowers the mean.',
                          advice='split the data anew so that training has them, or leave these '
                                 'classes out of metainfo')


def _shared_images(parts: Sequence[Part]) -> Iterator[Finding]:
    """The same image, by name or by content, in two parts."""
    owners: dict[str, dict[int, str]] = defaultdict(dict)
    for number, part in enumerate(parts):
        for info in part.infos:
            path = os.fspath(info['img_path'])
            if '://' not in path:
                owners[os.path.realpath(path)].setdefault(number, path)
    shared: dict[tuple[int, int], list[str]] = defaultdict(list)
    for group in equal_files(owners):
        for a, b in itertools.combinations(group, 2):
            _enter(shared, owners[a], owners[b])
    for path, where in owners.items():
        if len(where) > 1:
            _enter(shared, owners[path], owners[path])
    for (first, second), files in sorted(shared.items()):
        if parts[first].is_training != parts[second].is_training:
            yield Finding('image_in_two_splits', WARNING,
                          f'{parts[first].name} and {parts[second].name}',
                          f'{number_of(len(files), "images are")} in both, byte for byte.',
                          'What was learned by heart is scored: the result is too good.',
                          advice="take them out of one, with ann_file='names.txt'", **named(files))


def _enter(shared: dict, one: dict[int, str], other: dict[int, str]) -> None:
    """Add the pairs of parts that the owners of two equal files make."""
    for (a, path), (b, twin) in itertools.product(one.items(), other.items()):
        if a < b or (a > b and one is not other):
            pair = (path, twin) if a < b else (twin, path)
            text = path if path == twin else ' = '.join(pair)
            files = shared[min(a, b), max(a, b)]
            files += [text] * (text not in files[-1:])


def equal_files(paths: Iterable[str]) -> list[list[str]]:
    """Groups of two files or more with the same bytes.

    By size, then by a digest of the first and last 64 KB, then by one of all bytes, so that few
    files are read whole. Those that cannot be read are left out.
    """
    groups = [list(paths)]
    for key in (_size, _ends, _digest):
        groups = [fine for group in groups for fine in _split(group, key)]
    return groups


def _split(group: list[str], key: Callable[[str], object]) -> list[list[str]]:
    finer = defaultdict(list)
    for path in group:
        try:
            finer[key(path)].append(path)
        except OSError:
            continue
    return [paths for paths in finer.values() if len(paths) > 1]


def _size(path: str) -> int:
    return os.stat(path).st_size


def _ends(path: str) -> bytes:
    with open(path, 'rb') as file:
        head = file.read(_CHUNK)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _CHUNK))
        return hashlib.blake2b(head + file.read()).digest()


def _digest(path: str) -> bytes:
    digest = hashlib.blake2b()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.digest()
