"""Testing one image sequentially in NumPy: one scale, one mirror image, one window at a time.

The recipe: windows of 512x512, a step of 342; the image is resized by OpenCV for each scale; the
probabilities of the windows are averaged, then resized to the original size, added and arg-maxed;
the confusion matrix is one `numpy.bincount` over the whole maps.
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
        total = np.zeros((self.num_classes, height, width), np.float32)
        for scale in self.scales:
            size = (int(width * scale + 0.5), int(height * scale + 0.5))
            view = (cv2.resize(img, size) - self.mean) / self.std
            for mirrored in (False, True) if self.flip else (False,):
                probs = self._probabilities(view[:, ::-1] if mirrored else view)
                probs = probs[:, :, ::-1] if mirrored else probs
                total += np.stack([cv2.resize(np.ascontiguousarray(plane), (width, height))
                                   for plane in probs])
        return np.argmax(total, axis=0)

    def score(self, labels: np.ndarray, data: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(K, K) int64, rows ground truth, columns prediction."""
        label = data[1]
        counted = label != IGNORED
        joint = self.num_classes * label[counted].astype(np.int64) + labels[counted]
        return np.bincount(joint, minlength=self.num_classes**2).reshape(self.num_classes, -1)

    def _probabilities(self, view: np.ndarray) -> np.ndarray:
        """(h, w, 3) float32 -> (K, h, w), averaged where windows overlap."""
        size = view.shape[:2]
        total = np.zeros((self.num_classes, *size), np.float32)
        count = np.zeros(size, np.float32)
        for y1, y2, x1, x2 in window_grid(size, self.window, self.stride):
            crop = np.ascontiguousarray(view[y1:y2, x1:x2].transpose(2, 0, 1))
            x = torch.from_numpy(crop)[None].to(self.device)
            logits = upsampled(self.network(x), x.shape[-2:])[0].cpu().numpy()
            total[:, y1:y2, x1:x2] += softmax(logits)
            count[y1:y2, x1:x2] += 1
        return total / count


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the first axis."""
    exponentials = np.exp(logits - logits.max(axis=0))
    return exponentials / exponentials.sum(axis=0)
