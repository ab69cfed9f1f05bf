"""From the logits of augmentations to labels, with one buffer however many there are.

`fuse` does everything between a network's logits and the result in one pass: reads them at the
output pixels, averages overlapping windows, softmaxes, unflips, adds to the running sum, takes
the arg-max. `Canvas` owns what it writes to. Here is the plain torch code, for every device, which
the tests take as the oracle of the compiled kernels (`ops.kernels`).
Letters: M maps (an image and its mirror image), K classes (1 for a binary model), H W pixels.
"""

import torch
from torch import Tensor

from . import kernels, memory
from .geometry import Axis, Layer, sample

# Values that are upsampled, softmaxed and added while they are in a CPU's cache. On an
# accelerator a launch costs more than a trip to memory, so a band is the whole map there.
_BAND_VALUES = 1 << 19


def probabilities(logits: Tensor) -> Tensor:
    """(..., K, H, W) float logits -> probabilities: softmax, or sigmoid where K is 1."""
    return logits.sigmoid() if logits.shape[-3] == 1 else logits.softmax(-3)


def label_dtype(num_classes: int) -> torch.dtype:
    """The type of label maps: uint8 while the ids fit."""
    return torch.uint8 if num_classes <= 256 else torch.int32


def labels_of(scores: Tensor, threshold: float = 0.5) -> Tensor:
    """The class of each pixel.

    Args:
        scores: (K, H, W) float; any monotone score.
        threshold: For K = 1: above it a pixel is class 1.

    Returns:
        (H, W) uint8, or int32 where K > 256; of equal scores the lower class wins.
    """
    num_classes = scores.shape[0]
    if num_classes == 1:
        return (scores[0] > threshold).to(torch.uint8)
    if scores.device.type != 'cpu':
        return scores.argmax(0).to(label_dtype(num_classes))
    labels = torch.zeros(scores.shape[1:], dtype=label_dtype(num_classes))
    best = scores[0].clone()
    for k in range(1, num_classes):  # several times faster than argmax over a strided axis
        labels.masked_fill_(scores[k] > best, k)
        torch.maximum(best, scores[k], out=best)
    return labels


class Canvas:
    """What the augmentations of one image add up to.

    Args:
        channels: K.
        size: (H, W) of the original image.
        num_passes: Calls of `add` that write each pixel, one after the other; None where
            layers overlap in any way, and `labels` takes the arg-max at the end.
        num_maps: Maps that are averaged at each pixel in all.
        softmax: Whether logits become probabilities before they are added.
        threshold: For K = 1: the probability above which a pixel is class 1.
        keep: Whether `scores` is wanted.
        device: Where it lies.

    Attributes:
        size: (H, W).
        total: (K, H, W) float32 sum so far; None as long as nobody needs it.
    """

    def __init__(self, channels: int, size: tuple[int, int], num_passes: int | None, *,
                 num_maps: int = 1, softmax: bool = True, threshold: float = 0.5,
                 keep: bool = False, device: str | torch.device = 'cpu') -> None:
        self.softmax, self.num_maps, self.keep = softmax, num_maps, keep
        self._num_passes, self._device = num_passes, torch.device(device)
        self.size, self._channels = size, channels
        limit = torch.tensor(threshold, dtype=torch.float64)
        # What the sum has to exceed: a probability, or, where no sigmoid is taken, its logit.
        self._threshold = float(num_maps * limit if softmax else limit.logit())
        self.total: Tensor | None = None
        if num_passes is None:
            self.total = self._buffer().zero_()
        elif num_passes > 1 or keep:
            self.total = self._buffer()
        self._labels: Tensor | None = None
        if num_passes is not None:
            self._labels = torch.empty(size, dtype=label_dtype(channels), device=device)

    def _buffer(self) -> Tensor:
        """(K, H, W) float32, not set; on a CPU in an order in which one row lies together."""
        height, width = self.size
        if self._device.type == 'cpu':
            return memory.empty((height, self._channels, width)).permute(1, 0, 2)
        return torch.empty((self._channels, height, width), device=self._device)

    def add(self, layer: Layer, number: int = 0, rows: tuple[int, int] | None = None, *,
            softmax: bool | None = None, weigh: bool = False) -> None:
        """Add a layer.

        Args:
            layer: What to add.
            number: Of the pass, counted from 0.
            rows: (first, one past last) row of the result that this call writes; None is all.
            softmax: Whether these scores still have to become probabilities; None is as the
                canvas was made.
            weigh: Whether overlapping windows are averaged after the softmax and not before it;
                the layer is then a single window, and only its own pixels are written.
        """
        softmax = self.softmax if softmax is None else softmax
        last = self._num_passes is not None and number == self._num_passes - 1
        region = (0, self.size[0]) if rows is None else rows
        if weigh:
            row, col = layer.rows[0], layer.cols[0]
            if not (len(row) and len(col)):  # so small that it shows no pixel of the result
                return
            region = (row.start, row.stop)
        add = number > 0 or self._num_passes is None
        store = self.total is not None and (not last or self.keep)
        fuse(layer, region, softmax=softmax, weigh=weigh, add=add, store=store,
             threshold=self._threshold, total=self.total, labels=self._labels if last else None)

    def labels(self) -> Tensor:
        """(H, W) integer: the class of the greatest sum."""
        if self._labels is None:
            compiled = kernels.label_for(self._device)
            if compiled is None:
                return labels_of(self.total, self._threshold)
            self._labels = torch.empty(self.size, dtype=label_dtype(self._channels))
            compiled(self.total, self._threshold, self._labels)
        return self._labels

    def scores(self) -> Tensor:
        """(K, H, W) float32: the mean of all maps, which are probabilities where softmaxed."""
        return (self.total / self.num_maps).contiguous()


def fuse(layer: Layer, region: tuple[int, int], *, softmax: bool, weigh: bool, add: bool,
         store: bool, threshold: float, total: Tensor | None, labels: Tensor | None) -> None:
    """One pass over some rows of the result.

    Args:
        layer: The logits; its maps are added up.
        region: (first, one past last) row of the result.
        softmax: Whether logits become probabilities.
        weigh: Whether the shares of overlapping windows are applied after the softmax, to the one
            window that the layer then is, and not before it.
        add: Whether what ``total`` holds already is part of the sum.
        store: Whether the sum is written to ``total``.
        threshold: For K = 1: the sum above which a pixel is class 1.
        total: (K, H, W) float32, or None.
        labels: (H, W) integer that take the arg-max of the sum, or None.
    """
    compiled = kernels.fuse_for(layer.tiles[0][0].device)
    function = fuse_plain if compiled is None else compiled
    function(layer, region, softmax=softmax, weigh=weigh, add=add, store=store,
             threshold=threshold, total=total, labels=labels)


def fuse_plain(layer: Layer, region: tuple[int, int], *, softmax: bool, weigh: bool, add: bool,
               store: bool, threshold: float, total: Tensor | None,
               labels: Tensor | None) -> None:
    """`fuse` in plain torch, band by band."""
    width = len(layer.col_share)
    num_maps, channels = layer.tiles[0][0].shape[:2]
    height = region[1] - region[0]
    if layer.tiles[0][0].device.type == 'cpu':
        height = max(_BAND_VALUES // (num_maps * channels * width), 1)
    for y in range(region[0], region[1], height):
        band = (y, min(y + height, region[1]))
        result, x = 0, (0, width)
        for m, mirror in enumerate(layer.mirrored):
            scores, x = _read(layer, m, band, weigh)
            if softmax:
                scores = probabilities(scores)
            if weigh:
                scores = scores * layer.row_share[band[0]:band[1], None]
                scores *= layer.col_share[x[0]:x[1]]
            if mirror:
                scores, x = scores.flip(-1), (width - x[1], width - x[0])
            result = result + scores
        place = (..., slice(*band), slice(*x))
        if add:
            result = result + total[place]
        if store:
            total[place] = result
        if labels is not None:
            labels[place] = labels_of(result, threshold)


def _read(layer: Layer, m: int, band: tuple[int, int],
          weigh: bool) -> tuple[Tensor, tuple[int, int]]:
    """Map m's scores (K, rows of the band, n), overlapping windows averaged unless they are
    weighed later, and the n columns of the result, in the map's own frame."""
    if weigh or (len(layer.rows) == 1 and len(layer.cols) == 1):
        col = layer.cols[0]
        return _sampled(layer.tiles[0][0][m], layer.rows[0], col, band), (col.start, col.stop)
    tile = layer.tiles[0][0]
    scores = tile.new_zeros((tile.shape[1], band[1] - band[0], len(layer.col_share)))
    for row, tiles in zip(layer.rows, layer.tiles, strict=True):
        first, last = max(band[0], row.start), min(band[1], row.stop)
        if first >= last:
            continue
        share = layer.row_share[first:last, None]
        for col, tile in zip(layer.cols, tiles, strict=True):
            part = _sampled(tile[m], row, col, (first, last))
            scores[:, first - band[0]:last - band[0], col.start:col.stop] += \
                part * (share * layer.col_share[col.start:col.stop])
    return scores, (0, len(layer.col_share))


def _sampled(tile: Tensor, row: Axis, col: Axis, rows: tuple[int, int]) -> Tensor:
    """(K, rows, columns of the window) of one window's (K, h, w) cells."""
    band = slice(rows[0] - row.start, rows[1] - row.start)
    return sample(tile[None], row, col, band)[0]
