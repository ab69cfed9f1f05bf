"""Hausdorff distance loss: a wrong pixel weighs by how far from a contour it lies.

Karimi, Salcudean: Reducing the Hausdorff distance in medical image segmentation with CNNs, IEEE TMI
2020 (arXiv 1904.10030), equation 8 with alpha = 2 and distances to the contour from inside, as in
Ma et al., How distance transform maps boost segmentation CNNs, MIDL 2020. N batch, K classes.
"""

import cv2
import numpy as np
import torch

from ...registry import MODELS
from .base import AS_CALLED, BaseLoss, needs_classes, own_ignored, without_ignored


def depth_map(labels: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """How deep each pixel lies inside its class: the distance to the nearest pixel of another.

    Class 0 is the background and has no depth. Ignored pixels have none and are no contour for
    others, since where a class ends below them is not known; nor is the edge of the image, so that
    a class that is alone in an image has no depth either.

    Args:
        labels: (H, W) integer, any value where ignored.
        ignored: (H, W) bool.

    Returns:
        (H, W) float32, in pixels.
    """
    depth = np.zeros(labels.shape, np.float32)
    present = np.unique(labels[~ignored])
    if len(present) < 2:
        return depth
    for k in present[present != 0]:
        mine = labels == k
        inside = (mine | ignored).astype(np.uint8)
        distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        np.copyto(depth, distance, where=mine & ~ignored)
    return depth


def depth_maps(labels: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """`depth_map` of (N, H, W) integer labels and the (N, H, W) bool of what counts."""
    maps = [depth_map(one, ~counts)
            for one, counts in zip(labels.cpu().numpy(), valid.cpu().numpy(), strict=True)]
    return torch.from_numpy(np.stack(maps)).to(labels.device)


@MODELS.register_module()
class HuasdorffDisstanceLoss(BaseLoss):
    """The mean over pixels of 1/K times the sum over k > 0 of (p_k - t_k)^2 (g_k^2 + s_k^2).

    p is the softmax, t the label as 0 and 1, and g and s how deep the pixel lies inside class k of
    the label and of the prediction; 0 outside of it. (The name is mmsegmentation's.)

    Args:
        reduction: 'none' (N, H, W), 'mean' or 'sum'.
        class_weight: K numbers, or a .npy, .json or .yaml file that holds them.
        loss_weight: Factor of the whole loss.
        ignore_index: A label that does not count either, besides the ``ignore_index`` of the call.
        loss_name: Its name in the log.
        avg_non_ignore: 'mean' is over the pixels that count, rather than over all.
    """

    def __init__(self, reduction: str = 'mean', class_weight: list[float] | str | None = None,
                 loss_weight: float = 1.0, ignore_index: int | None = AS_CALLED,
                 loss_name: str = 'loss_huasdorff_disstance',
                 avg_non_ignore: bool = False) -> None:
        super().__init__(reduction, loss_weight, loss_name, class_weight, avg_non_ignore)
        self.ignore_index = ignore_index

    def forward(self, pred: torch.Tensor, target: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, K, H, W) float logits and (N, H, W) integer labels -> the loss.

        The distances are measured on the CPU, on label maps, without a gradient.

        Raises:
            ShapeError: If label, weight (N, H, W) or class weights do not fit the logits, or those
                have one channel.
        """
        needs_classes(pred, 'use out_channels=2 in the head')
        pred, valid = without_ignored(pred, target, ignore_index, own_ignored(self.ignore_index))
        of_classes = self.weights_of_classes(pred)
        prob = pred.softmax(dim=1)
        label = target.long().view(valid.shape).where(valid, 0)
        found = prob.max(dim=1, keepdim=True).indices
        # Depth is zero but for one class per pixel, the one that the map says: of all K terms two
        # are left.
        loss = 0.0
        for where, truth in ((label, 1.0), (found, (found == label).to(prob.dtype))):
            depth = depth_maps(where[:, 0], valid[:, 0]).unsqueeze(1)
            term = (prob.gather(1, where) - truth) ** 2 * depth ** 2
            loss = loss + (term if of_classes is None else term * of_classes[where])
        return self.reduce_pixels(loss.squeeze(1) / pred.size(1), valid, weight, avg_factor,
                                  reduction_override)
