"""Maps and sequences of their pixels."""

import pytest
import torch

from segplug.errors import ShapeError


def test_there_and_back(lent):
    from mmseg.models.utils import nchw2nlc2nchw, nchw_to_nlc, nlc2nchw2nlc, nlc_to_nchw
    x = torch.arange(12.0).reshape(1, 2, 2, 3)
    sequence = nchw_to_nlc(x)
    assert sequence[0].tolist() == [[0, 6], [1, 7], [2, 8], [3, 9], [4, 10], [5, 11]]
    assert torch.equal(nlc_to_nchw(sequence, (2, 3)), x)
    seen = []
    for contiguous in (True, False):
        def twice(y, factor):
            seen.append((tuple(y.shape), y.is_contiguous()))
            return y * factor
        out = nchw2nlc2nchw(twice, x, contiguous, factor=2)
        assert torch.equal(out, 2 * x)
        assert torch.equal(nlc2nchw2nlc(twice, sequence, (2, 3), contiguous, factor=2),
                           2 * sequence)
    assert seen == [((1, 6, 2), True), ((1, 2, 2, 3), True),
                    ((1, 6, 2), False), ((1, 2, 2, 3), False)]


def test_what_does_not_fit(lent):
    from mmseg.models.utils import nchw_to_nlc, nlc_to_nchw
    with pytest.raises(ShapeError, match=r'L = 2 \* 4'):
        nlc_to_nchw(torch.zeros(1, 6, 2), (2, 4))
    with pytest.raises(ShapeError, match='four axes'):
        nchw_to_nlc(torch.zeros(1, 6, 2))
