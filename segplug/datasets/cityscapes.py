"""Cityscapes in its official tree: leftImg8bit/<split>/<city>/ and gtFine/<split>/<city>/.

Labels are read from ``labelTrainIds`` where the whole set has them, else from the
``labelIds`` that the download holds, through a table: no conversion step. Facts (ids,
classes, colours) are those of cityscapesScripts' ``helpers/labels.py``.
"""

import copy

from ..registry import DATASETS
from . import scan
from .base import BaseSegDataset

# One row per evaluated class: label id, name, RGB. The row number is the train id.
CLASSES = (
    (7, 'road', (128, 64, 128)), (8, 'sidewalk', (244, 35, 232)),
    (11, 'building', (70, 70, 70)), (12, 'wall', (102, 102, 156)),
    (13, 'fence', (190, 153, 153)), (17, 'pole', (153, 153, 153)),
    (19, 'traffic light', (250, 170, 30)), (20, 'traffic sign', (220, 220, 0)),
    (21, 'vegetation', (107, 142, 35)), (22, 'terrain', (152, 251, 152)),
    (23, 'sky', (70, 130, 180)), (24, 'person', (220, 20, 60)), (25, 'rider', (255, 0, 0)),
    (26, 'car', (0, 0, 142)), (27, 'truck', (0, 0, 70)), (28, 'bus', (0, 60, 100)),
    (31, 'train', (0, 80, 100)), (32, 'motorcycle', (0, 0, 230)), (33, 'bicycle', (119, 11, 32)),
)
# The categories that the official evaluation scores, in its order.
CATEGORIES = dict(
    flat=('road', 'sidewalk'), construction=('building', 'wall', 'fence'),
    object=('pole', 'traffic light', 'traffic sign'), nature=('vegetation', 'terrain'),
    sky=('sky',), human=('person', 'rider'),
    vehicle=('car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle'))
NUM_LABEL_IDS = 34  # label ids are 0..33; -1 (licence plate) is never drawn into a label file

TRAIN_IDS, LABEL_IDS = 'labelTrainIds', 'labelIds'


def train_id_map(ignore_index: int = 255) -> dict[int, int]:
    """Label id -> train id for the ids 0..33; what is not evaluated becomes ``ignore_index``.

    Other values stay as they are, so that the label guard can name them.
    """
    table = dict.fromkeys(range(NUM_LABEL_IDS), ignore_index)
    table.update({label_id: train_id for train_id, (label_id, _, _) in enumerate(CLASSES)})
    return table


def compose(first: dict[int, int], second: dict[int, int] | None) -> dict[int, int]:
    """``second`` after ``first``; values that ``second`` does not hold stay."""
    return {k: (second or {}).get(v, v) for k, v in first.items()}


@DATASETS.register_module()
class CityscapesDataset(BaseSegDataset):
    """Cityscapes, 19 classes. Arguments are `BaseSegDataset`'s.

    ``metainfo['label_ids']`` holds the label id of each class, as the server's files want it;
    ``metainfo['categories']`` the classes of each category, of which the metric scores those
    that are among the classes.
    A ``seg_map_suffix`` that names labelTrainIds falls back to labelIds; one that names labelIds
    is mapped; any other is read as train ids.
    """

    METAINFO = dict(classes=tuple(name for _, name, _ in CLASSES),
                    palette=[list(rgb) for _, _, rgb in CLASSES],
                    label_ids=[label_id for label_id, _, _ in CLASSES], categories=CATEGORIES)
    IMG_SUFFIX = '_leftImg8bit.png'
    SEG_MAP_SUFFIX = '_gtFine_labelTrainIds.png'

    def _set_classes(self) -> None:
        super()._set_classes()
        if 'label_ids' in self._metainfo:  # a subclass with METAINFO of its own may have none
            self._metainfo['label_ids'] = self._chosen(self._metainfo['label_ids'], 'label_ids')

    def load_data_list(self) -> list[dict]:
        self._choose_labels()
        data_list = super().load_data_list()
        if LABEL_IDS in self.seg_map_suffix:
            table = compose(train_id_map(self.ignore_index), self.label_map)
            for info in data_list:
                info['label_map'] = copy.copy(table)
        return data_list

    def _choose_labels(self) -> None:
        """Read labelIds if some labelTrainIds are missing and no labelIds are."""
        folder = self.data_prefix.get('seg_map_path')
        if folder is None or TRAIN_IDS not in self.seg_map_suffix:
            return
        stems = scan.image_stems(self.data_prefix['img_path'], self.img_suffix, self.ann_file,
                                 self.backend_args)
        other = self.seg_map_suffix.replace(TRAIN_IDS, LABEL_IDS)
        if scan.missing(folder, [s + self.seg_map_suffix for s in stems], self.backend_args) \
                and not scan.missing(folder, [s + other for s in stems], self.backend_args):
            self.seg_map_suffix = other

    def _tree(self) -> str:
        other = self.seg_map_suffix.replace(TRAIN_IDS, LABEL_IDS)
        return super()._tree() + (f' (or *{other})' if other != self.seg_map_suffix else '')
