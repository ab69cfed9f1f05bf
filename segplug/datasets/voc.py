"""PASCAL VOC 2012, 20 kinds of objects and the background.

Tree: JPEGImages/*.jpg, SegmentationClass/*.png with label values 0..20, 255 ignored, and the
names of each split in ImageSets/Segmentation/*.txt. Facts are those of the development kit.
"""

from ..registry import DATASETS
from .base import BaseSegDataset, default_palette


@DATASETS.register_module()
class PascalVOCDataset(BaseSegDataset):
    """PASCAL VOC, 21 classes. Arguments are `BaseSegDataset`'s.

    ``ann_file`` is needed to train: most images of the tree have no label.
    """

    METAINFO = dict(
        classes=('background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car',
                 'cat', 'chair', 'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person',
                 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor'),
        # The map begins at black, which default_palette leaves out.
        palette=[[0, 0, 0], *default_palette(20)])

    def _tree(self) -> str:
        return super()._tree() + ('' if self.ann_file else '; ann_file names the images that '
                                  'have labels: ImageSets/Segmentation/<split>.txt')
