"""Output stride: strides become dilations, and published weights go on computing the same.

The algorithme à trous, as in Chen et al., DeepLab, https://arxiv.org/abs/1606.00915, section 3.1.
A layer whose stride s is taken away keeps its taps where they were; all after it, pooling included,
have theirs s times as far apart. Then the dense map holds the coarse one at every s-th pixel.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import ConfigError

OUTPUT_STRIDES = (8, 16, 32)


class Step(NamedTuple):
    """Of a part of a network: the stride it still has, and the dilation before and after it."""

    stride: int
    before: int
    after: int


def atrous_steps(strides: Sequence[int], output_stride: int) -> list[Step]:
    """The strides of the parts of a network, each kept while their product is at most the last.

    >>> atrous_steps((4, 2, 2), 8)
    [Step(stride=4, before=1, after=1), Step(stride=2, before=1, after=1), \
Step(stride=1, before=1, after=2)]

    Raises:
        ConfigError: For an output stride other than 8, 16 or 32.
    """
    if output_stride not in OUTPUT_STRIDES:
        raise ConfigError('There is no such output stride.', got=output_stride,
                          expected=OUTPUT_STRIDES, culprit='output_stride')
    steps, total, dilation = [], 1, 1
    for stride in strides:
        before = dilation
        if total * stride > output_stride:
            dilation *= stride
            stride = 1
        total *= stride
        steps.append(Step(stride, before, dilation))
    return steps


class AtrousPool(nn.Module):
    """Max or average pooling of any dilation; H pixels become ceil(H / stride).

    Taps outside of the image do not count. On sizes that the stride divides it is what published
    networks do: `nn.MaxPool2d` with ``ceil_mode``, or centred with ``padding``, and `nn.AvgPool2d`.

    Args:
        kind: 'max' or 'avg'.
        kernel_size, stride, dilation: As everywhere.
        centred: The window lies around its pixel, and does not begin at it.
    """

    def __init__(self, kind: str, kernel_size: int, stride: int, dilation: int = 1,
                 centred: bool = False) -> None:
        super().__init__()
        self.kind, self.kernel_size = kind, kernel_size
        self.stride, self.dilation = stride, dilation
        self.front = kernel_size // 2 * dilation if centred else 0

    def extra_repr(self) -> str:
        return f'{self.kind}, {self.kernel_size}, {self.stride}, dilation={self.dilation}'

    def _padded(self, x: Tensor, value: float) -> Tensor:
        """(N, C, H, W) with what the windows reach beyond it."""
        reach = (self.kernel_size - 1) * self.dilation
        ends = [max((-(-size // self.stride) - 1) * self.stride + reach + 1 - self.front - size, 0)
                for size in x.shape[2:]]
        if not (self.front or any(ends)):
            return x
        return F.pad(x, (self.front, ends[1], self.front, ends[0]), value=value)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) float -> (N, C, ceil(H / stride), ceil(W / stride))."""
        if self.kind == 'max':
            return F.max_pool2d(self._padded(x, float('-inf')), self.kernel_size, self.stride,
                                dilation=self.dilation)
        padded = self._padded(x, 0)
        if padded is x and self.dilation == 1:
            return F.avg_pool2d(x, self.kernel_size, self.stride)
        counts = [sum(self._taps(size, x.device)) for size in x.shape[2:]]
        return self._sum(padded, x.shape) / (counts[0][:, None] * counts[1]).to(x.dtype)

    def _taps(self, size: int, device) -> list[Tensor]:
        """Of every tap, whether it lies in the image, (ceil(size / stride),) int64 0 or 1."""
        starts = torch.arange(0, size, self.stride, device=device) - self.front
        places = [starts + i * self.dilation for i in range(self.kernel_size)]
        return [((place >= 0) & (place < size)).long() for place in places]

    def _sum(self, padded: Tensor, shape: torch.Size) -> Tensor:
        rows, columns = ([slice(i * self.dilation, i * self.dilation + size, self.stride)
                          for i in range(self.kernel_size)] for size in shape[2:])
        return sum(padded[:, :, row, column] for row in rows for column in columns)
