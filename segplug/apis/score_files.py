"""Which prediction belongs to which label, by their names, for `segplug.apis.score`.

Names are compared without the data set's suffixes, below the two folders. A prediction may also
lie in a flatter or a deeper tree than its label, as long as one path is the end of the other.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..datasets import scan
from ..datasets.cityscapes import LABEL_IDS, TRAIN_IDS
from ..errors import DataError
from .sources import PICTURE_SUFFIXES


@dataclass(frozen=True)
class Pair:
    """A prediction and its label; ``name`` is the image's, relative to its folder."""

    name: str
    pred: Path
    label: Path


def plain_name(name: str, endings: list[str]) -> str:
    """A relative name without the longest of ``endings`` that it has, else without extension; and
    then without what such an ending says before the extension ('_leftImg8bit')."""
    fits = [e for e in endings if e and name.endswith(e)]
    stem = (name.removesuffix(max(fits, key=len)) if fits
            else PurePosixPath(name).with_suffix('').as_posix())
    words = [PurePosixPath(f'x{ending}').stem[1:] for ending in endings]
    return next((stem.removesuffix(w) for w in words if w and stem.endswith(w)), stem)


def label_endings(seg_map_suffix: str) -> list[str]:
    """The suffix, and for Cityscapes' train ids that of its label ids."""
    other = seg_map_suffix.replace(TRAIN_IDS, LABEL_IDS)
    return [seg_map_suffix] if other == seg_map_suffix else [seg_map_suffix, other]


def find_labels(folder: str, seg_map_suffix: str, given: str | None = None,
                names: str | None = None) -> dict[str, Path]:
    """Plain name -> label file.

    Of several suffixes the first is taken that all labels have. Where no file has one of them,
    every image file is a label.

    Args:
        folder: Labels lie below it.
        seg_map_suffix: The data set's; '' for any image.
        given: The person's own suffix, which is then the only one.
        names: A text file with the plain names to score, one a line.

    Raises:
        DataError: There is no label, or some of the names have none.
    """
    files = _images(folder, 'labels')
    endings = [given] if given else label_endings(seg_map_suffix)
    sets = {e: {plain_name(f, [e]): f for f in files if f.endswith(e)} for e in endings if e}
    every = set().union(*sets.values()) if sets else set()
    found = next((s for s in sets.values() if s and set(s) == every), None)
    if found is None and every:
        lost = {e: scan.some(sorted(every - set(s))) for e, s in sets.items()}
        raise DataError(f'No kind of label in {folder} is complete.', got='; '.join(
            f'*{ending} lacks {names}' for ending, names in lost.items()),
            fix='complete one of them, or choose with --label-suffix')
    if found is None:
        if given:
            raise DataError(f'No label below {folder} ends in {given}.', got=scan.nearby(folder),
                            fix='correct --label-suffix')
        found = _unique({f: plain_name(f, endings) for f in files}, folder, '--label-suffix')
    if names is not None:
        found = _named(found, names)
    return {name: Path(folder, file) for name, file in found.items()}


def find_predictions(folder: str, endings: list[str], given: str | None = None
                     ) -> dict[str, Path]:
    """Plain name -> prediction file; ``given`` is the person's own suffix.

    Raises:
        DataError: There is none, or two have one name.
    """
    files = _images(folder, 'predictions')
    if given:
        files = [f for f in files if f.endswith(given)]
        if not files:
            raise DataError(f'No prediction below {folder} ends in {given}.',
                            got=scan.nearby(folder), fix='correct --pred-suffix')
    names = {f: plain_name(f, [given, *endings] if given else endings) for f in files}
    return {n: Path(folder, f) for n, f in _unique(names, folder, '--pred-suffix').items()}


def pair(predictions: dict[str, Path], labels: dict[str, Path], allow_extra: bool = False
         ) -> dict[str, tuple[Path, Path]]:
    """Plain name of a label -> (prediction, label), in order of name.

    Raises:
        DataError: A label has no prediction or several; or a prediction has no label, unless
            ``allow_extra``.
    """
    partner = {name: name for name in labels if name in predictions}
    left = defaultdict(list)
    for name in predictions.keys() - partner.keys():
        left[PurePosixPath(name).name].append(name)
    for name in labels.keys() - partner.keys():
        fits = [p for p in left[PurePosixPath(name).name] if _is_end(p, name)]
        if len(fits) > 1:
            raise DataError(f'The label {labels[name]} has {len(fits)} predictions.',
                            got=scan.some([str(predictions[p]) for p in sorted(fits)]),
                            fix='leave one, or score the folder that holds it')
        if fits:
            partner[name] = fits[0]
    _check_partners(partner, predictions, labels, allow_extra)
    return {name: (predictions[partner[name]], labels[name]) for name in sorted(labels)}


def _check_partners(partner: dict[str, str], predictions: dict[str, Path],
                    labels: dict[str, Path], allow_extra: bool) -> None:
    lost = sorted(str(labels[name]) for name in labels.keys() - partner.keys())
    extra = sorted(str(predictions[p]) for p in predictions.keys() - set(partner.values()))
    if lost:
        raise DataError(
            f'{len(lost)} of the {len(labels)} labels have no prediction: {scan.some(lost)}.',
            got=f'{len(extra)} predictions without a label' + (f': {scan.some(extra)}' if extra
                                                               else ''),
            expected='the same names below both folders, but for the suffix',
            fix='add what is missing, or say how names end with --pred-suffix, --label-suffix')
    uses = Counter(partner.values())
    shared = [name for name, prediction in partner.items() if uses[prediction] > 1]
    if shared:
        raise DataError(f'One prediction, {predictions[partner[shared[0]]]}, would stand for '
                        f'{len(shared)} labels.',
                        got=scan.some(sorted(str(labels[name]) for name in shared)),
                        fix='keep the folders of the labels in the predictions')
    if extra and not allow_extra:
        raise DataError(f'{len(extra)} predictions have no label: {scan.some(extra)}.',
                        fix='take them out, say with --pred-suffix how the right ones end, or '
                            'leave them unscored with --allow-extra')


def _images(folder: str, what: str) -> list[str]:
    files = [f for f in scan.list_files(folder) if f.lower().endswith(PICTURE_SUFFIXES)]
    if not files:
        raise DataError(f'There are no {what} in {folder}.', got=scan.nearby(folder),
                        expected=f'files ending in {", ".join(PICTURE_SUFFIXES)}')
    return files


def _unique(names: dict[str, str], folder: str, option: str) -> dict[str, str]:
    """{file: name} the other way round."""
    found: dict[str, str] = {}
    for file, name in names.items():
        if name in found:
            raise DataError(f'Two files below {folder} have one name, {name!r}.',
                            got=f'{found[name]} and {file}',
                            fix=f'take one out, or say how the right ones end with {option}')
        found[name] = file
    return found


def _named(found: dict[str, str], file: str) -> dict[str, str]:
    names = scan.image_stems('', '', file)
    lost = [name for name in names if name not in found]
    if lost or not names:
        raise DataError(f'{len(lost)} of the {len(names)} names in {file} have no label.',
                        got=scan.some(lost) or 'no name at all', expected=scan.some(sorted(found)),
                        fix='give names without suffix, relative to the folder of the labels')
    return {name: found[name] for name in names}


def _is_end(one: str, other: str) -> bool:
    """Whether the shorter path is the end of the longer one."""
    short, long = sorted((PurePosixPath(one).parts, PurePosixPath(other).parts), key=len)
    return long[-len(short):] == short
