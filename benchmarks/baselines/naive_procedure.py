"""Testing one image sequentially in NumPy: one scale, one window at a time.

The recipe of `configs/unet/unet_r101d_city.py` (windows of 512x512, a step of two thirds, each
with its mirror image, softmax averaged) as public test scripts of its time carry it out, such as
`tool/test.py` of hszhao/semseg: maps lie channels last in float64, each window comes back from the
network to NumPy, each scale is resized by OpenCV, and hits, predictions and labels are counted by
`numpy.histogram`, image by image.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from .mmseg_procedure import IGNORED, upsampled, window_grid


class NaiveProcedure:
    """Read, predict and score.

    Args:
        network: (N, 3, h, w) float -> logits (N, K, h', w').
        mean, std: Of the RGB channels.
        device: Where the network runs; each window goes there and back.
        scales: Factors of the image's size.
        flip: Whether each scale comes with its mirror image.
        window, stride: Side of the windows, and step.
        num_classes: K.
    """

    def __init__(self, network: Callable[[Tensor], Tensor], mean: Sequence[float],
                 std: Sequence[float], device: str = 'cpu', scales: Sequence[float] = (1.0,),
                 flip: bool = False, window: int = 512, stride: int = 342,
                 num_classes: int = 19) -> None:
        self.network, self.device = network, device
        self.mean, self.std = (np.array(x, np.float32) for x in (mean, std))
        self.scales, self.flip, self.window, self.stride = scales, flip, window, stride
        self.num_classes = num_classes

    def read(self, image_path: str, label_path: str) -> tuple[np.ndarray, np.ndarray]:
        """Image (H, W, 3) uint8 RGB and label (H, W) uint8."""
        img = cv2.cvtColor(cv2.imread(image_path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        return img, cv2.imread(label_path, cv2.IMREAD_UNCHANGED)

    @torch.no_grad()
    def predict(self, data: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Labels (H, W) int64."""
        img = data[0]
        height, width = img.shape[:2]
        total = np.zeros((height, width, self.num_classes))
        for scale in self.scales:
            size = (int(width * scale + 0.5), int(height * scale + 0.5))
            view = (cv2.resize(img, size) - self.mean) / self.std
            total += cv2.resize(self._probabilities(view), (width, height))
        return np.argmax(total / len(self.scales), axis=2)

    def score(self, labels: np.ndarray,
              data: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels of each class (K,) int64: hits, predictions, labels."""
        label = data[1].reshape(-1)
        pred = labels.reshape(-1).copy()
        pred[label == IGNORED] = IGNORED
        bins = np.arange(self.num_classes + 1)
        # the last bin of a histogram is closed, so K itself would be counted; there is none
        return tuple(np.histogram(values, bins=bins)[0]
                     for values in (pred[pred == label], pred, label))

    def _probabilities(self, view: np.ndarray) -> np.ndarray:
        """(h, w, 3) float32 -> (h, w, K) float64, averaged where windows overlap."""
        size = view.shape[:2]
        total, count = np.zeros((*size, self.num_classes)), np.zeros(size)
        for y1, y2, x1, x2 in window_grid(size, self.window, self.stride):
            total[y1:y2, x1:x2] += self._window(view[y1:y2, x1:x2].copy())
            count[y1:y2, x1:x2] += 1
        return total / count[:, :, None]

    def _window(self, crop: np.ndarray) -> np.ndarray:
        """(h, w, 3) float32 -> (h, w, K) float32, the mean of the window and its mirror image."""
        x = torch.from_numpy(crop.transpose(2, 0, 1)).float()[None].to(self.device)
        if self.flip:
            x = torch.cat([x, x.flip(3)])
        probs = upsampled(self.network(x), x.shape[-2:]).softmax(dim=1)
        mean = (probs[0] + probs[1].flip(2)) / 2 if self.flip else probs[0]
        return mean.cpu().numpy().transpose(1, 2, 0)
