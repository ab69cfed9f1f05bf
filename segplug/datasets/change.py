"""Change detection: two images of one place and a label of what changed between them."""

import os

from ..registry import DATASETS
from ..signature import extends
from . import scan
from .base import BaseSegDataset
from .classes import shipped
from .suffixes import Suffix, pattern, stem_of


@DATASETS.register_module()
class BaseCDDataset(BaseSegDataset):
    """Two images and a label of the same name in three folders; each sample has ``img_path2``.

    Args:
        ann_file: As `BaseSegDataset`'s.
        img_suffix: As `BaseSegDataset`'s.
        img_suffix2: End of the second image's name, or several; None for that of the first.
        seg_map_suffix: As `BaseSegDataset`'s.
        data_prefix: ``img_path``, ``img_path2`` and ``seg_map_path``.

    Raises:
        DataError: A second image is missing, or what `BaseSegDataset` says.
    """

    @extends(BaseSegDataset)
    def __init__(self, ann_file: str = '', img_suffix: Suffix | None = None,
                 img_suffix2: Suffix | None = None, seg_map_suffix: str | None = None, *,
                 data_prefix: dict = dict(img_path='', img_path2='', seg_map_path=''),
                 **options) -> None:
        first = self.IMG_SUFFIX if img_suffix is None else img_suffix
        self.img_suffix2 = first if img_suffix2 is None else img_suffix2
        super().__init__(ann_file=ann_file, img_suffix=img_suffix, seg_map_suffix=seg_map_suffix,
                         data_prefix=data_prefix, **options)

    def load_data_list(self) -> list[dict]:
        """`BaseSegDataset`'s, with img_path2."""
        if 'img_path2' not in self.data_prefix:
            raise self._error('has no img_path2 in its data_prefix', '')
        data_list = super().load_data_list()
        first, second = self.data_prefix['img_path'], self.data_prefix['img_path2']
        stems = [stem_of(os.path.relpath(info['img_path'], first), self.img_suffix)
                 for info in data_list]
        names = scan.with_suffix(second, stems, self.img_suffix2, self.backend_args)
        lost = scan.missing(second, names, self.backend_args)
        if lost:
            raise self._error(f'has no second image for {len(lost)} of its {len(names)} images: '
                              f'{scan.some(lost)}', second)
        for info, name in zip(data_list, names, strict=True):
            info['img_path2'] = os.path.join(second, name)
        return data_list

    def _tree(self) -> str:
        second = os.path.join(self.data_prefix.get('img_path2', '<img_path2>'), '**',
                              pattern(self.img_suffix2))
        return f'{second}, {super()._tree()}'


@DATASETS.register_module()
class LEVIRCDDataset(BaseCDDataset):
    """LEVIR-CD (Chen and Shi, Remote Sensing 2020), buildings that came or went, 2 classes.

    Arguments are `BaseCDDataset`'s.
    """

    METAINFO = shipped('levir_cd')
    IMG_SUFFIX = '.png'
