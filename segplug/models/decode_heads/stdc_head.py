"""The head that teaches STDC's third stage boundaries, in training only.

Fan et al., Rethinking BiSeNet, https://arxiv.org/abs/2104.13188. It learns two maps, "no
boundary" and "boundary", and its labels are made from those of the classes.
"""

import torch
import torch.nn.functional as F

from ...ops.masks import valid_mask
from ...ops.resize import resize
from ...registry import MODELS
from ...structures import SegDataSample
from ..layers import extends
from .fcn_head import FCNHead


def detail_targets(label: torch.Tensor, ignore_index: int | None, threshold: float,
                   laplacian: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Where classes meet, seen with strides 1, 2 and 4 and joined.

    A pixel is on a boundary where 8 times its class number is more than the sum of its
    neighbours', so of two classes that meet the one of higher number has the boundary.

    Unlike in mmsegmentation what is outside of the image or ignored is no neighbour (there it
    is class 0 and class 255, so that the image's border is a boundary), and ignored pixels
    stay ignored.

    Args:
        label: (N, 1, H, W) int64 in [0, K) or ignore.
        ignore_index: Value of the pixels that do not count.
        threshold: What the response of each stride, and then their weighted sum, must exceed.
        laplacian: (1, 1, 3, 3) float: 8 in the middle, -1 around.
        weights: (1, 3, 1, 1) float, of the strides.

    Returns:
        (N, 1, H, W) int64: 1 boundary, 0 none, or ignore.
    """
    valid = valid_mask(label, ignore_index)
    known = valid.to(laplacian)
    number = label.where(valid, 0).to(laplacian)
    maps = []
    with torch.autocast(label.device.type, enabled=False):  # class numbers must stay exact
        for stride in (1, 2, 4):
            # The second term takes back what neighbours that are not there leave of the 8.
            response = (F.conv2d(number, laplacian, stride=stride, padding=1)
                        - number[..., ::stride, ::stride]
                        * F.conv2d(known, laplacian, stride=stride, padding=1))
            maps.append(resize((response > threshold).to(laplacian), size=label.shape[2:]))
        joined = (torch.cat(maps, dim=1) * weights).sum(dim=1, keepdim=True)
    return (joined > threshold).to(label.dtype).where(valid, label)


@MODELS.register_module()
class STDCHead(FCNHead):
    """An FCNHead whose labels are boundaries; as an auxiliary head, with ``num_classes=2``.

    Args:
        boundary_threshold: See `detail_targets`.
        Others as for `FCNHead`.
    """

    labels_are_classes = False

    @extends(FCNHead)
    def __init__(self, boundary_threshold: float = 0.1, **options) -> None:
        super().__init__(**options)
        self.boundary_threshold = boundary_threshold
        laplacian = torch.full((1, 1, 3, 3), -1.0)
        laplacian[..., 1, 1] = 8
        # Both are constants, but published checkpoints hold them.
        self.register_buffer('laplacian_kernel', laplacian)
        self.fusion_kernel = torch.nn.Parameter(
            torch.tensor([0.6, 0.3, 0.1]).view(1, 3, 1, 1), requires_grad=False)

    def _stack_batch_gt(self, batch_data_samples: list[SegDataSample]) -> torch.Tensor:
        """The boundaries as (N, 1, H, W) int64."""
        return detail_targets(super()._stack_batch_gt(batch_data_samples), self.ignore_index,
                              self.boundary_threshold, self.laplacian_kernel, self.fusion_kernel)
