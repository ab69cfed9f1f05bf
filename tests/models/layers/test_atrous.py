import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.layers.atrous import AtrousPool, atrous_steps


def test_strides_beyond_the_output_stride_become_dilations():
    """2 * 2 * 2 = 8; the next two 2s are taken away: what follows dilates by 2, then by 4."""
    assert [tuple(step) for step in atrous_steps((2, 2, 2, 2, 2), 8)] \
        == [(2, 1, 1), (2, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)]
    assert [tuple(step) for step in atrous_steps((4, 1, 4, 2), 16)] \
        == [(4, 1, 1), (1, 1, 1), (4, 1, 1), (1, 1, 2)]


@pytest.mark.parametrize('wrong', [4, 12, 64])
def test_other_output_strides_are_refused(wrong):
    with pytest.raises(ConfigError) as error:
        atrous_steps((2, 2), wrong)
    assert error.value.culprit == 'output_stride'


X = torch.rand(2, 3, 12, 20, generator=torch.Generator().manual_seed(0)) - 0.5


def test_on_even_sizes_it_is_torchs():
    assert torch.equal(AtrousPool('max', 2, 2)(X), F.max_pool2d(X, 2))
    assert torch.equal(AtrousPool('avg', 2, 2)(X), F.avg_pool2d(X, 2))
    assert torch.equal(AtrousPool('max', 3, 2)(X), F.max_pool2d(X, 3, 2, ceil_mode=True))
    assert torch.equal(AtrousPool('max', 3, 2, centred=True)(X), F.max_pool2d(X, 3, 2, padding=1))


@pytest.mark.parametrize('kind', ['max', 'avg'])
def test_what_is_outside_does_not_count(kind):
    """Of -1 -2 -3: windows -1 -2 and -3 with nothing."""
    x = torch.tensor([[[[-1., -2., -3.]]]])
    expected = [-1., -3.] if kind == 'max' else [-1.5, -3.]
    assert AtrousPool(kind, 2, 2)(x).flatten().tolist() == expected


@pytest.mark.parametrize('centred', [False, True])
@pytest.mark.parametrize('kind', ['max', 'avg'])
@pytest.mark.parametrize('size', [(1, 1), (2, 5), (7, 9)])
def test_dilated_by_hand(kind, size, centred):
    x = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(1))
    kernel, stride, dilation = 3, 2, 2
    first = -dilation if centred else 0
    found = AtrousPool(kind, kernel, stride, dilation, centred)(x)[0, 0]
    assert found.shape == (-(-size[0] // 2), -(-size[1] // 2))
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            taps = [x[0, 0, r, c].item()
                    for r in range(stride * row + first, stride * row + first + 5, dilation)
                    for c in range(stride * column + first, stride * column + first + 5, dilation)
                    if 0 <= r < size[0] and 0 <= c < size[1]]
            expected = max(taps) if kind == 'max' else sum(taps) / len(taps)
            assert found[row, column].item() == pytest.approx(expected, abs=1e-6)
