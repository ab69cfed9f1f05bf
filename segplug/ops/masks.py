"""Which pixels count: the only place that knows what an ignored pixel is.

N batch, K classes, H W pixels. A label is an integer tensor of any shape whose values are
in [0, K) or ``ignore_index``.
"""

from collections.abc import Sequence

import torch

from ..errors import DataError


def valid_mask(label: torch.Tensor, ignore_index: int | None) -> torch.Tensor:
    """True where a pixel counts. ``ignore_index=None`` means that every pixel does."""
    if ignore_index is None:
        return torch.ones_like(label, dtype=torch.bool)
    return _wide(label) != ignore_index


def check_label(label: torch.Tensor, num_classes: int, ignore_index: int | None,
                names: Sequence[str]) -> None:
    """Refuse labels that are neither a class nor ignored.

    Reads one flag back from the device; only a bad batch is looked at more closely.

    Args:
        label: (N, ...) integer.
        num_classes: K; values in [0, K) are right.
        ignore_index: The other value that is right, if there is one.
        names: N file names for the message.

    Raises:
        DataError: Naming the first bad file, its values and the allowed range.
    """
    label = _wide(label)
    bad = valid_mask(label, ignore_index) & ((label < 0) | (label >= num_classes))
    if not bad.any():
        return
    index = int(bad.flatten(1).any(dim=1).nonzero()[0])
    values = label[index][bad[index]].unique().tolist()
    ignored = '' if ignore_index is None else f', or {ignore_index} for ignored pixels'
    raise DataError(
        f'The label of {names[index]} holds values that are no class.',
        got=f'{_shown(values)} in {int(bad[index].sum())} pixels',
        expected=f'0 to {num_classes - 1}{ignored}',
        fix="map the label's values to classes, or set num_classes and ignore_index of the "
            'heads, and seg_pad_val of the preprocessor, to what the data set has')


def _wide(label: torch.Tensor) -> torch.Tensor:
    """``label`` in a type that holds what it is compared with.

    torch compares in the tensor's own type: to uint8 labels -1 is 255 and 256 classes are none.
    """
    return label.int() if label.dtype in (torch.uint8, torch.int8, torch.int16) else label


def _shown(values: list[int]) -> str:
    """The first few values as text."""
    return ', '.join(map(str, values[:8])) + (', ...' if len(values) > 8 else '')
