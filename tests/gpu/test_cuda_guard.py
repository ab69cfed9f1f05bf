"""The label guard on a GPU: it names the file where there would be a CUDA assert, and waits late.

Skipped with a reason where torch sees no CUDA device.
"""

import pytest
import torch

from segplug.errors import DataError
from segplug.ops.masks import begin_check, check_label

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings('default')]


def labels(value: int, dtype: torch.dtype) -> torch.Tensor:
    """(2, 1, 64, 64) zeros and ignored pixels, with one ``value`` in the second."""
    label = torch.zeros(2, 1, 64, 64, dtype=dtype, device='cuda')
    label[:, :, 0] = 255
    label[1, 0, 63, 63] = value
    return label


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int32, torch.int64])
def test_a_bad_pixel_is_named(dtype):
    check_label(labels(18, dtype), 19, 255, ['a.png', 'b.png'])
    with pytest.raises(DataError, match=r'b\.png.*19 in 1 pixels.*0 to 18, or 255'):
        check_label(labels(19, dtype), 19, 255, ['a.png', 'b.png'])


def test_nothing_waits_until_the_answer_is_asked_for():
    good, bad = labels(18, torch.uint8), labels(19, torch.uint8)
    torch.cuda.set_sync_debug_mode('error')  # whatever waits for the device raises
    try:
        finish = [begin_check(label, 19, 255, ['a.png', 'b.png']) for label in (good, bad)]
    finally:
        torch.cuda.set_sync_debug_mode('default')
    finish[0]()
    with pytest.raises(DataError, match=r'b\.png'):
        finish[1]()
