"""What the labels of one part of the data hold in all: values, classes, ignored pixels.

Letters: K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .. import labels
from .facts import ImageFacts, LabelFacts
from .finding import Place

_VALUES = 65536
# Of class weights, by name.
FORMULAS = {
    'inverse_frequency': 'labelled pixels / (classes * pixels of the class)',
    'median_frequency': 'median frequency / frequency, Eigen & Fergus 2015; frequency: its pixels '
                        '/ labelled pixels of the images that have it',
    'inverse_log': '1 / ln(1.02 + share of the pixels), ENet, Paszke et al. 2016'}


@dataclass
class Part:
    """A data set of the config, and what was read of it.

    Attributes:
        name: 'train', 'val, test', 'train[1]' ...
        place: Where it stands in the config.
        num_classes: K, or None where nothing says it.
        classes, palette: K names and colours, or none.
        ignore_index: The value that counts as no class.
        reduce_zero_label: Whether 0 is no class and the others move down.
        value_map, color_items: LoadAnnotations' own.
        infos: Of each sample.
        labels, images: What each file holds, in the order of ``infos``. A label without a name
            says that the sample has none.
        without_label, spare_labels: See `Listing`.
        turns_images: Whether images are turned as their EXIF orientation says.
        is_whole: Every label was read, not a choice of them.
        maps_further: A transform of another package may change label values later.
        is_training: Whether the model learns from it.
        is_mapped: Values are those after the maps already.
        suffix: With which label files end.
    """

    name: str
    place: Place
    num_classes: int | None = None
    classes: Sequence[str] = ()
    palette: Sequence[Sequence[int]] = ()
    ignore_index: int = 255
    reduce_zero_label: bool = False
    value_map: dict | None = None
    color_items: Sequence[tuple[str, int]] = ()
    infos: list[dict] = field(default_factory=list)
    labels: list[LabelFacts] = field(default_factory=list)
    images: list[ImageFacts] = field(default_factory=list)
    without_label: list[str] = field(default_factory=list)
    spare_labels: list[str] = field(default_factory=list)
    turns_images: bool = True
    is_whole: bool = True
    maps_further: bool = False
    is_training: bool = False
    is_mapped: bool = False
    suffix: str = ''

    @property
    def good_labels(self) -> list[LabelFacts]:
        """Those that hold ids."""
        return [facts for facts in self.labels if facts.path and not facts.problem]

    @property
    def ids(self) -> range:
        """The class ids that labels may hold: a single class is 1, told from what is around it, 0;
        none where nothing says K."""
        return range(max(self.num_classes, 2) if self.num_classes else 0)

    def class_name(self, k: int) -> str:
        if len(self.classes) == 1:
            return self.classes[0] if k else f'not {self.classes[0]}'
        return self.classes[k] if k < len(self.classes) else str(k)


@dataclass(frozen=True)
class Tally:
    """Sums over the labels of a part that hold ids.

    Attributes:
        raw: Value of the files, before any map -> pixels.
        raw_images: Value of the files -> number of labels that have it.
        pixels: (K,) int64, of each class; of a single class, of 0 and 1.
        images: (K,) int64, number of labels that have the class.
        pixels_where: (K,) int64, labelled pixels of all labels that have the class.
        ignored: Number of pixels without a class.
        outside: Value after the maps that is no class -> {file: pixels}.
        raw_of: Value after the maps -> the file's values that lead there.
        all_ignored: Files in which no pixel has a class.
    """

    raw: dict[int, int]
    raw_images: dict[int, int]
    pixels: np.ndarray
    images: np.ndarray
    pixels_where: np.ndarray
    ignored: int
    outside: dict[int, dict[str, int]]
    raw_of: dict[int, list[int]]
    all_ignored: list[str]

    @property
    def num_labelled(self) -> int:
        return int(self.pixels.sum())

    @property
    def num_pixels(self) -> int:
        return sum(self.raw.values())


def tally(part: Part) -> Tally:
    """Add up the labels of ``part``; without K every value counts as a class."""
    num_classes = len(part.ids) or _VALUES
    pixels = np.zeros(num_classes, np.int64)
    images, where = np.zeros_like(pixels), np.zeros_like(pixels)
    raw, raw_images, outside, raw_of, empty, ignored = {}, {}, {}, {}, [], 0
    for facts, info in zip(part.labels, part.infos, strict=True):
        if facts.problem or not facts.path:
            continue
        values = _mapped(facts.values, info, part)
        for value, new, count in zip(facts.values.tolist(), values.tolist(),
                                     facts.counts.tolist(), strict=True):
            raw[value] = raw.get(value, 0) + count
            raw_images[value] = raw_images.get(value, 0) + 1
            raw_of.setdefault(new, [])
            raw_of[new] += [value] * (value not in raw_of[new])
            if new != part.ignore_index and new >= num_classes:
                per_file = outside.setdefault(new, {})
                per_file[facts.path] = per_file.get(facts.path, 0) + count
        is_class = (values < num_classes) & (values != part.ignore_index)
        ignored += int(facts.counts[values == part.ignore_index].sum())
        np.add.at(pixels, values[is_class], facts.counts[is_class])
        present = np.unique(values[is_class])
        images[present] += 1
        where[present] += int(facts.counts[is_class].sum())
        if (values == part.ignore_index).all():
            empty.append(facts.path)
    return Tally(raw, raw_images, pixels, images, where, ignored, outside, raw_of, empty)


def _mapped(values: np.ndarray, info: dict, part: Part) -> np.ndarray:
    """The file's values after value_map, reduce_zero_label and label_map, as the loader does."""
    label_map = info.get('label_map')
    if part.is_mapped or not (label_map or part.reduce_zero_label or part.value_map):
        return values
    key = (tuple((label_map or {}).items()), part.reduce_zero_label, info.get('ignore_index', 255),
           _VALUES, tuple((part.value_map or {}).items()))
    table = labels._cached_table(*key)
    return values if table is None else table[values].astype(np.int64)


def image_counts(part: Part) -> np.ndarray:
    """(I, K) int64: pixels of each class in each label that holds ids, in their order; what `tally`
    adds up. K is 2 for a single class; without K no value is a class."""
    num_classes = len(part.ids)
    rows = np.zeros((len(part.good_labels), num_classes), np.int64)
    pairs = [(facts, info) for facts, info in zip(part.labels, part.infos, strict=True)
             if facts.path and not facts.problem]
    for row, (facts, info) in zip(rows, pairs, strict=True):
        values = _mapped(facts.values, info, part)
        is_class = (values < num_classes) & (values != part.ignore_index)
        np.add.at(row, values[is_class], facts.counts[is_class])
    return rows


def class_weights(parts: Sequence[Part], tallies: Sequence[Tally]) -> dict[str, list[float]]:
    """Weights of the losses by the formula's name, from the training sets; none where these have
    no labelled pixel, or not the same classes."""
    trained = [(p, t) for p, t in zip(parts, tallies, strict=True)
               if p.is_training and p.num_classes and t.num_labelled]
    if len({p.num_classes for p, _ in trained}) != 1:
        return {}
    pixels = sum(t.pixels for _, t in trained)
    return dict(
        median_frequency=median_frequency_weights(pixels, sum(t.pixels_where for _, t in trained)),
        inverse_log=inverse_log_weights(pixels))


def inverse_frequency_weights(pixels: np.ndarray) -> list[float]:
    """Labelled pixels / (classes present * pixels of the class), so that each class present weighs
    the same in the sum over pixels. A class without pixels gets 1."""
    present = pixels > 0
    weights = np.ones(len(pixels))
    weights[present] = pixels.sum() / (present.sum() * pixels[present])
    return [round(float(w), 4) for w in weights]


def median_frequency_weights(pixels: np.ndarray, pixels_where: np.ndarray) -> list[float]:
    """Weights that balance classes: median frequency / frequency.

    A class's frequency is its pixels over the labelled pixels of the images that have it (Eigen
    & Fergus, ICCV 2015, section 4.1). A class without pixels gets 1.
    """
    present = pixels > 0
    frequency = pixels[present] / pixels_where[present]
    weights = np.ones(len(pixels))
    weights[present] = np.median(frequency) / frequency if present.any() else 1
    return [round(float(w), 4) for w in weights]


def inverse_log_weights(pixels: np.ndarray) -> list[float]:
    """1 / ln(1.02 + share of the labelled pixels), between 1.4 and 50.5 (Paszke et al., ENet,
    2016)."""
    share = pixels / max(int(pixels.sum()), 1)
    return [round(float(w), 4) for w in 1 / np.log(1.02 + share)]
