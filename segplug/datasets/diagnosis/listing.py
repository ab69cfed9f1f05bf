"""The files of a data set: samples, images without a label, labels without an image."""

import os
from dataclasses import dataclass

from ...errors import DataError
from .. import scan
from ..base import BaseSegDataset


@dataclass(frozen=True)
class Listing:
    """What belongs to a data set.

    Attributes:
        infos: What is known of each sample that has all its files, as ``get_data_info`` gives it.
        without_label: Images that have none, where the set has labels.
        spare_labels: Label files that no image asks for.
    """

    infos: list[dict]
    without_label: list[str]
    spare_labels: list[str]


def listing(dataset) -> Listing:
    """The files of ``dataset``, also where labels are missing, for which the set itself stops.

    Args:
        dataset: With mmengine's interface. One of ours may be lazy, so that it has not stopped
            yet.

    Raises:
        SegplugError: The data set has no file, or another fault that the set itself names.
    """
    try:
        dataset.full_init()
    except DataError:
        infos, lost = _without_lost(dataset)
        if not infos:  # no image, or none with a label: the set's own error knows more
            raise
        return Listing(infos, lost, _spare(dataset, infos))
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return Listing(infos, [], _spare(dataset, infos))


def _without_lost(dataset) -> tuple[list[dict], list[str]]:
    """The samples that have a label, and the images that lack theirs."""
    if not isinstance(dataset, BaseSegDataset) or not dataset.data_prefix.get('seg_map_path'):
        return [], []
    folder, suffix = dataset.data_prefix['seg_map_path'], dataset.seg_map_suffix

    def present(stems: list[str]) -> list[str | None]:
        lost = set(scan.missing(folder, [s + suffix for s in stems], dataset.backend_args))
        return [None if s + suffix in lost else os.path.join(folder, s + suffix) for s in stems]

    dataset._labels = present  # of this object alone: what a subclass does around it stays
    try:
        infos = dataset.load_data_list()
    finally:
        del dataset._labels
    return ([info for info in infos if info['seg_map_path'] is not None],
            [info['img_path'] for info in infos if info['seg_map_path'] is None])


def _spare(dataset, infos: list[dict]) -> list[str]:
    """Files with the labels' suffix that no sample of a set uses which lists its folder whole."""
    if not isinstance(dataset, BaseSegDataset) or dataset.ann_file \
            or dataset._indices is not None or type(dataset)._labels is not BaseSegDataset._labels:
        return []
    folder = dataset.data_prefix.get('seg_map_path')
    if not folder or folder == dataset.data_prefix.get('img_path'):
        return []
    used = {info['seg_map_path'] for info in infos}
    names = scan.list_files(folder, dataset.seg_map_suffix, dataset.backend_args)
    return [path for name in names if (path := os.path.join(folder, name)) not in used]
