import numpy as np
import pytest
from mmcv.transforms import Compose

from segplug.datasets.transforms import GenerateEdge, PackSegInputs
from segplug.datasets.transforms.edge import edge_map
from segplug.errors import ConfigError


def _by_loop(label: np.ndarray, ignored: int) -> np.ndarray:
    """Width 1: above, right, below right, below left."""
    height, width = label.shape
    edge = np.zeros(label.shape, np.uint8)
    for y in range(height):
        for x in range(width):
            for v, u in ((y - 1, x), (y, x + 1), (y + 1, x + 1), (y + 1, x - 1)):
                if 0 <= v < height and 0 <= u < width and label[v, u] != label[y, x] \
                        and ignored not in (label[v, u], label[y, x]):
                    edge[y, x] = 1
    return edge


@pytest.mark.parametrize('size', [(7, 9), (1, 6), (6, 1), (1, 1)])
def test_one_pixel_wide_it_is_the_loop(size):
    rng = np.random.default_rng(0)
    label = np.kron(rng.integers(0, 3, (4, 5)), np.ones((2, 2), int))[:size[0], :size[1]]
    label = label.astype(np.uint8)
    label[0, 0] = 255
    np.testing.assert_array_equal(edge_map(label, 1, 255), _by_loop(label, 255))


def test_wider_by_hand():
    """0 0 0 | 1 1 1: column 2 sees 1 at its right, and column 3 sees 0 below left in all rows
    but the last, where it sees none. Three wide, columns 1 to 4 are near one of them."""
    label = np.repeat(np.array([[0, 0, 0, 1, 1, 1]], np.uint8), 3, axis=0)
    assert edge_map(label, 1, 255).tolist() == [[0, 0, 1, 1, 0, 0]] * 2 + [[0, 0, 1, 0, 0, 0]]
    assert edge_map(label, 3, 255).tolist() == [[0, 1, 1, 1, 1, 0]] * 3
    assert not edge_map(label, 3, 1).any()


def test_it_reaches_the_model():
    label = np.repeat(np.array([[0, 0, 1, 1]], np.uint8), 2, axis=0)
    sample = Compose([GenerateEdge(edge_width=1), PackSegInputs()])(
        dict(img=np.zeros((2, 4, 3), np.uint8), gt_seg_map=label))['data_samples']
    assert sample.gt_edge_map.data.shape == (1, 2, 4)
    assert sample.gt_edge_map.data[0, 0].tolist() == [0, 1, 1, 0]
    assert sample.gt_sem_seg.data[0].tolist() == label.tolist()


def test_a_width_of_nothing():
    with pytest.raises(ConfigError, match='edge_width'):
        GenerateEdge(edge_width=0)
