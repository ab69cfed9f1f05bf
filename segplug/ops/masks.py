"""Which pixels count: the only place that knows what an ignored pixel is.

N batch, K classes, H W pixels. A label is an integer tensor of any shape whose values are
in [0, K) or ``ignore_index``.
"""

from collections.abc import Callable, Sequence

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

    Args:
        label: (N, ...) integer.
        num_classes: K; values in [0, K) are right.
        ignore_index: The other value that is right, if there is one.
        names: N file names for the message.

    Raises:
        DataError: Naming the first bad file, its values and the allowed range.
    """
    begin_check(label, num_classes, ignore_index, names)()


def begin_check(label: torch.Tensor, num_classes: int, ignore_index: int | None,
                names: Sequence[str]) -> Callable[[], None]:
    """`check_label` in two parts, so that a GPU need not wait in between.

    On a GPU the check is queued and its answer, one bit, copied to the host; the function that is
    returned waits for that alone. Called once the network is queued too, and before the losses, it
    finds the answer there and nothing has stood still. On a CPU it raises at once.

    Args:
        label, num_classes, ignore_index, names: `check_label`'s.

    Returns:
        What raises the DataError if there is one.
    """
    bad = _has_bad(label, num_classes, ignore_index)
    if bad.device.type != 'cuda':
        _refuse(bad, label, num_classes, ignore_index, names)
        return _nothing
    answer, arrived = bad.to('cpu', non_blocking=True), torch.cuda.Event()
    arrived.record(torch.cuda.current_stream(bad.device))

    def finish() -> None:
        arrived.synchronize()
        _refuse(answer, label, num_classes, ignore_index, names)
    return finish


def _nothing() -> None:
    """What is left to do where the answer is known already."""


def _has_bad(label: torch.Tensor, num_classes: int, ignore_index: int | None) -> torch.Tensor:
    """() bool: whether any value is neither a class nor ignored, from the extremes alone.

    Extremes of bytes cost a tenth of comparing every one, and no wider copy is made.
    """
    if label.dtype == torch.uint8 and ignore_index == 255:
        return (label + 1).amax().int() > num_classes  # 255 becomes 0, class c becomes c + 1
    if ignore_index is not None and not 0 <= ignore_index < num_classes:
        label = label.masked_fill(~valid_mask(label, ignore_index), 0)
    if label.dtype == torch.uint8:
        return label.amax().int() >= num_classes
    low, high = label.aminmax()
    return (_wide(low) < 0) | (_wide(high) >= num_classes)


def _refuse(bad: torch.Tensor, label: torch.Tensor, num_classes: int, ignore_index: int | None,
            names: Sequence[str]) -> None:
    """Raise the error if ``bad`` is true; only then is the label looked at more closely."""
    if not bad:
        return
    label = _wide(label)
    wrong = valid_mask(label, ignore_index) & ((label < 0) | (label >= num_classes))
    index = int(wrong.flatten(1).any(dim=1).nonzero()[0])
    values = label[index][wrong[index]].unique().tolist()
    ignored = '' if ignore_index is None else f', or {ignore_index} for ignored pixels'
    raise DataError(
        f'The label of {names[index]} holds values that are no class.',
        got=f'{_shown(values)} in {int(wrong[index].sum())} pixels',
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
