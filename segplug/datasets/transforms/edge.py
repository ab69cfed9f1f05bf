"""A map of the boundaries between classes, for heads that learn them (PIDNet)."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import ConfigError
from ...registry import TRANSFORMS


def edge_map(label: np.ndarray, width: int, ignore_index: int) -> np.ndarray:
    """(H, W) integer label -> (H, W) uint8: 1 near a boundary, 0 elsewhere.

    A pixel is on a boundary if its neighbour above, right, below right or below left is of
    another class and neither is ignored; then ``width`` x ``width`` pixels around it are 1.
    These four neighbours are those of CE2P (https://arxiv.org/abs/1809.05996) and PIDNet.
    """
    height, length = label.shape
    edge = np.zeros((height, length), np.uint8)
    for dy, dx in ((-1, 0), (0, 1), (1, 1), (1, -1)):
        rows = slice(max(-dy, 0), height - max(dy, 0))
        cols = slice(max(-dx, 0), length - max(dx, 0))
        here = label[rows, cols]
        there = label[rows.start + dy:rows.stop + dy, cols.start + dx:cols.stop + dx]
        edge[rows, cols] |= (here != there) & (here != ignore_index) & (there != ignore_index)
    return cv2.dilate(edge, np.ones((width, width), np.uint8))


@TRANSFORMS.register_module()
class GenerateEdge(BaseTransform):
    """Adds ``gt_edge_map``, see `edge_map`; it stands after all that moves pixels.

    Args:
        edge_width: Width of the boundaries in pixels.
        ignore_index: Label that has no boundary.
    """

    def __init__(self, edge_width: int = 3, ignore_index: int = 255) -> None:
        if edge_width < 1:
            raise ConfigError('GenerateEdge: edge_width must be positive.', got=edge_width)
        self.edge_width, self.ignore_index = edge_width, ignore_index

    def transform(self, results: dict) -> dict:
        results['gt_edge_map'] = edge_map(results['gt_seg_map'], self.edge_width,
                                          self.ignore_index)
        results['seg_fields'] = [*results.get('seg_fields', []), 'gt_edge_map']
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(edge_width={self.edge_width}, '
                f'ignore_index={self.ignore_index})')
