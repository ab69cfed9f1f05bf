"""NYU Depth V2 (Silberman et al., ECCV 2012): a depth map per image, and the kind of room."""

import os
import re

from ..registry import DATASETS
from ..signature import extends
from .base import BaseSegDataset
from .classes import shipped
from .suffixes import Suffix


def room_of(name: str) -> str:
    """'<room>_0042.jpg' -> '<room>': what stands before the first digit and one more character."""
    digit = re.search(r'\d', name)
    return name[:max(digit.start() - 1, 0)] if digit else ''


@DATASETS.register_module()
class NYUDataset(BaseSegDataset):
    """NYU Depth V2: each sample has ``depth_map_path`` and ``category_id``, -1 for another room.

    ``classes`` are 27 kinds of rooms, of whole images; there are no labels of pixels.

    Args:
        data_prefix: ``img_path`` and ``depth_map_path``.
        img_suffix: As `BaseSegDataset`'s.
        depth_map_suffix: End of a depth map's name, extension included.
    """

    METAINFO = shipped('nyu')

    @extends(BaseSegDataset, without=('seg_map_suffix',))
    def __init__(self, data_prefix: dict = dict(img_path='images', depth_map_path='annotations'),
                 img_suffix: Suffix = '.jpg', depth_map_suffix: str = '.png', **options) -> None:
        super().__init__(data_prefix=data_prefix, img_suffix=img_suffix,
                         seg_map_suffix=depth_map_suffix, **options)

    def _join_prefix(self) -> None:
        # Depth maps are paired as labels are.
        self.data_prefix['seg_map_path'] = self.data_prefix.pop('depth_map_path', None)
        super()._join_prefix()

    def load_data_list(self) -> list[dict]:
        """One dict per image: img_path, depth_map_path, category_id, seg_fields."""
        rooms = {room: i for i, room in enumerate(self._metainfo['classes'])}
        return [dict(img_path=info['img_path'], depth_map_path=info['seg_map_path'],
                     category_id=rooms.get(room_of(os.path.basename(info['img_path'])), -1),
                     seg_fields=[]) for info in super().load_data_list()]
