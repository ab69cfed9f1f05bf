"""The parts of a config's data, and what their files hold, read on several threads."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from ..datasets import class_ids
from ..datasets.diagnosis.facts import ImageFacts, LabelFacts, image_facts, label_facts
from ..datasets.diagnosis.finding import Place
from ..datasets.diagnosis.listing import Listing
from ..datasets.diagnosis.of_images import Pixels, pixels_of
from ..datasets.diagnosis.tally import Part
from ..datasets.files import turns
from ..datasets.transforms import LoadAnnotations, LoadImageFromFile
from ..errors import DataError

MAX_THREADS = 8  # decoding releases the interpreter; more only wait for the disk
_OUR_PACKAGES = ('segplug.', 'mmcv.')
# Of ours, what changes an image's channels or range before the model sees it.
_CHANGES_PIXELS = ('Normalize', 'RGB2Gray', 'Rerange', 'Albu')


def label_reader(dataset):
    """The transform that reads the label; None where the pipeline has none."""
    steps = dataset.pipeline.transforms
    if not steps:
        return LoadAnnotations()
    return next((t for t in steps if isinstance(t, LoadAnnotations)), None) or next(
        (t for t in steps if 'Annotation' in type(t).__name__), None)


def image_reader(dataset) -> LoadImageFromFile | None:
    """The transform that reads the image, if it is ours."""
    return next((t for t in dataset.pipeline.transforms if isinstance(t, LoadImageFromFile)), None)


def _is_foreign(transform) -> bool:
    return not type(transform).__module__.startswith(_OUR_PACKAGES)


def keeps_pixels(dataset) -> bool:
    """Whether the model gets the channels and the range that are read."""
    return not any(_is_foreign(t) or type(t).__name__ in _CHANGES_PIXELS
                   for t in dataset.pipeline.transforms)


def chosen(infos: Sequence[dict], limit: int | None) -> list[dict]:
    """At most ``limit``, spread evenly over all."""
    return [infos[i] for i in spread(len(infos), limit)]


def spread(length: int, count: int | None) -> list[int]:
    """``count`` of the numbers below ``length``, evenly; all of them where it has no more."""
    if count is None or count >= length:
        return list(range(length))
    return np.linspace(0, length - 1, count).round().astype(int).tolist()


def part_of(dataset, found: Listing, name: str, place: Place, num_classes: int | None,
            limit: int | None = None) -> Part:
    """What is known of a data set before its files are read.

    Args:
        dataset: A data set that is no wrapper.
        found: Its files.
        name: 'train', 'val' ...
        place: Where it stands in the config.
        num_classes: The heads', for a set that names no classes.
        limit: How many samples are looked at.
    """
    meta, reader, image = dataset.metainfo, label_reader(dataset), image_reader(dataset)
    classes = tuple(meta.get('classes') or ())
    infos = chosen(found.infos, limit)
    reduce = next((info.get('reduce_zero_label') for info in infos), None)
    reduce = getattr(reader, 'reduce_zero_label', None) if reduce is None else reduce
    return Part(
        name=name, place=place, classes=classes, palette=meta.get('palette') or (),
        num_classes=len(classes) or num_classes, reduce_zero_label=bool(reduce), infos=infos,
        ignore_index=getattr(dataset, 'ignore_index', 255),
        value_map=getattr(reader, 'value_map', None),
        color_items=getattr(reader, 'color_items', None) or (),
        without_label=found.without_label, spare_labels=found.spare_labels,
        turns_images=image is not None and turns(image.color_type, image.imdecode_backend),
        is_whole=len(infos) == len(found.infos),
        maps_further=any(map(_is_foreign, dataset.pipeline.transforms)),
        is_training=name.startswith('train'),
        is_mapped=not isinstance(reader, LoadAnnotations),
        suffix=getattr(dataset, 'seg_map_suffix', ''))


def read(dataset, part: Part, num_threads: int | None = None,
         advance: Callable[[], None] | None = None) -> None:
    """Read the labels, and the headers of the images, of ``part``.

    Args:
        dataset: That the part is of.
        part: Gets ``labels`` and ``images``.
        num_threads: None for one per core, at most `MAX_THREADS`.
        advance: Called after each sample.
    """
    reader = label_reader(dataset)
    reads_files = image_reader(dataset) is not None or not dataset.pipeline.transforms

    def one(info: dict):
        image = image_facts(info['img_path']) if reads_files and info.get('packed') is None \
            else ImageFacts(str(info['img_path']))
        has_label = reader is not None and info.get('seg_map_path')
        return image, label_facts(info, reader) if has_label else LabelFacts('')

    with ThreadPoolExecutor(threads(num_threads)) as pool:
        for image, label in pool.map(one, part.infos):
            part.images.append(image)
            part.labels.append(label)
            if advance is not None:
                advance()


def threads(wanted: int | None) -> int:
    """How many to start."""
    return max(1, min(MAX_THREADS, os.cpu_count() or 1) if wanted is None else wanted)


def sampled_pixels(dataset, part: Part, count: int, num_threads: int | None = None
                   ) -> list[Pixels]:
    """Means of ``count`` images, spread over the part, as they are loaded.

    An image that cannot be read gets a ``reason`` among the part's images.
    """
    reader = image_reader(dataset)
    if reader is None:
        return []
    good = [i for i, image in enumerate(part.images) if not image.reason]
    picked = [good[i] for i in spread(len(good), count)]
    found = []
    with ThreadPoolExecutor(threads(num_threads)) as pool:
        for i, result in zip(picked, pool.map(lambda i: _pixels(part.infos[i], reader), picked),
                             strict=True):
            if isinstance(result, Pixels):
                found.append(result)
            else:
                part.images[i] = replace(part.images[i], reason=result)
    return found


def _pixels(info: dict, reader: LoadImageFromFile) -> Pixels | str:
    try:
        return pixels_of(info['img_path'], reader.transform(dict(info))['img'])
    except DataError as error:
        return str(error.got or error.what)


def leaves_with_places(dataset, places: Sequence[Place], fallback: str) -> Iterator[tuple]:
    """The data sets inside wrappers, each with where it stands in the config."""
    leaves = class_ids.leaves(dataset)
    if len(places) != len(leaves):
        places = [Place(fallback)] * len(leaves)
    yield from zip(leaves, places, strict=True)
