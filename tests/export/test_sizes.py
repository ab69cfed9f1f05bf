"""What holds for one size only: poolings, guards, and the step that sides go in."""

import pytest
import torch
from tiny_nets import net, psp_net
from torch import nn
from torch.nn import functional as F

from segplug.errors import ConfigError
from segplug.export import recording
from segplug.export.graph import Graph
from segplug.export.settings import Settings
from segplug.export.sizes import (
    adaptive_pools,
    broken_guard,
    multiple_for,
    neighbours,
    refuse_adaptive_pools,
)

pytestmark = pytest.mark.skipif(not hasattr(torch.export.Dim, 'DYNAMIC'),
                                reason='torch before 2.6')
SETTINGS = Settings(shape=(40, 56), dynamic=True, batch=True)


class Pools(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean, self.grid = nn.AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool2d((1, 2))

    def forward(self, x):
        return self.mean(x) + self.grid(x).mean() + F.adaptive_max_pool2d(x, 3)[0].mean()


def test_pooling_over_cells_is_found_as_a_module_and_as_a_function():
    program = torch.export.export(Pools(), (torch.rand(1, 1, 8, 8),), strict=False)
    assert adaptive_pools(program) == ['grid', 'the network']


def test_pooling_over_cells_is_refused_for_any_size_alone():
    program = recording.record(Graph(psp_net(), SETTINGS, 2), SETTINGS)
    assert adaptive_pools(program) == ['decode_head.psp_modules.1.0']
    with pytest.raises(ConfigError, match='any size: it pools over a grid.*psp_modules.1.0.*'
                                          '--shape H W'):
        refuse_adaptive_pools(program, SETTINGS)
    refuse_adaptive_pools(program, Settings())


def test_a_product_of_maps_and_bases_does_not_ask_for_the_number_of_images():
    bases = net(decode_head=dict(type='EMAHead', in_channels=4, channels=4, num_classes=4,
                                 in_index=0, ema_channels=4, num_bases=2, num_stages=2))
    program = recording.record(Graph(bases, SETTINGS, 2), SETTINGS)
    assert broken_guard(program, SETTINGS, neighbours((40, 56)), (1, 2, 5), 3) is None


def test_guards_are_asked_for_other_sizes():
    class Branches(nn.Module):
        channels, num_images = 3, 2

        def forward(self, image):
            return image * 2 if image.shape[2] % 8 == 0 else image

    sizes = neighbours((40, 56))
    program = recording.record(Branches(), SETTINGS)  # at 512 x 512
    (number, height, _), guard = broken_guard(program, SETTINGS, sizes, (1, 2), 3)
    assert number == 1
    assert height % 8
    assert '% 8' in guard or 'Mod' in guard
    assert broken_guard(program, SETTINGS, neighbours((40, 56), 8), (1, 2), 3) is None
    program = recording.record(Graph(net(), SETTINGS, 2), SETTINGS)
    assert broken_guard(program, SETTINGS, sizes, (1, 5), 3) is None


def test_neighbours_are_of_every_remainder_and_of_both_sides():
    heights = {height % 8 for height, _ in neighbours((512, 1024))}
    assert heights == set(range(8))
    sizes = neighbours((512, 1024))
    # 0.6 * 512 = 307.2 and 0.6 * 1024 = 614.4; twice 512 plus an offset below 16
    assert sizes[0] == (307, 614)
    assert 1024 <= sizes[-1][0] < 1040
    assert all(h % 32 == 0 and w % 32 == 0 for h, w in neighbours((100, 333), 32))


def test_what_sides_have_to_be_a_multiple_of():
    class Fussy(nn.Module):
        def __init__(self, step):
            super().__init__()
            self.step = step

        def encode_decode(self, x, metas):
            if any(side % self.step for side in x.shape[2:]):
                raise RuntimeError('sizes of tensors must match')
            return x

    assert multiple_for(net(), (40, 56), 3, tuple) == 1
    assert multiple_for(Fussy(32), (64, 96), 3, tuple) == 32
    # Padded to 32 before, it takes what comes.
    assert multiple_for(Fussy(32), (40, 56), 3,
                        lambda size: tuple(-(-side // 32) * 32 for side in size)) == 1
    with pytest.raises(ConfigError, match='does not take images of any size'):
        multiple_for(Fussy(100), (100, 100), 3, tuple)
    # What the meta device cannot say is left to the comparison with the model.
    assert multiple_for(Fussy(64), (40, 56), 3, tuple) == 1
