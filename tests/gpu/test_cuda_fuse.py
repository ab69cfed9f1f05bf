"""From logits to labels on a GPU: the compiled kernel against plain torch there and on the CPU."""

import pytest
import torch
import torch.nn.functional as F
from cuda_fuse_cases import CASES, THRESHOLD, Case, difference, predicted

from segplug.models.tta import TestCfg
from segplug.ops import kernels
from segplug.ops.fuse import fuse_plain
from segplug.ops.geometry import Layer, axes
from segplug.ops.windows import spans

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings('default')]

DEVICE = 'cuda'
CITY = (1024, 2048)


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """The drawn networks are convolutions, of which TF32 rounds the inputs to 10 bits."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)


@pytest.fixture(scope='module')
def cuda_fuse():
    pytest.importorskip('triton', reason='this torch came without triton')
    found = kernels.fuse_for(torch.device(DEVICE))
    from segplug.ops.kernels import cuda_fuse
    assert found is cuda_fuse.fuse
    return cuda_fuse


def test_a_kernel_is_compiled_and_used(cuda_fuse):
    # `launch` is `fuse` without the way out to plain torch, which would hide a failure
    assert difference(CASES['mirror'], DEVICE, cuda_fuse.launch)['calls'] == 1
    assert difference(CASES['mirror'], DEVICE, cuda_fuse.fuse)['calls'] == 1
    assert not cuda_fuse._unusable


@pytest.mark.parametrize('name', CASES)
def test_equals_plain_torch_on_the_device(name, cuda_fuse):
    found = difference(CASES[name], DEVICE, cuda_fuse.launch)
    assert found['calls'] > 0
    assert found['labels'] == 0
    assert found['scores'] < 1e-5


@pytest.mark.parametrize('name', CASES)
def test_labels_equal_those_of_the_cpu(name, cuda_fuse):
    """The networks' own sums differ in order, so only what is clear by far."""
    case = CASES[name]
    case = Case(case.channels, case.size, case.stride, case.align, case.masked,
                {**case.cfg, 'save_logits': True})
    labels, _ = predicted(case, DEVICE, cuda_fuse.launch)
    expected, scores = predicted(case, 'cpu', fuse_plain)
    if case.channels > 1:
        top = scores.topk(2, 0).values
        clear = top[0] - top[1] > 1e-3
    else:
        softmaxed = TestCfg(**case.cfg).num_augs > 1
        clear = ((scores[0] if softmaxed else scores[0].sigmoid()) - THRESHOLD).abs() > 1e-3
    assert torch.equal(labels.cpu()[clear], expected[clear])


# --- at full size --------------------------------------------------------------------------


def layer_of(size, windows, cells, num_classes=19, device=DEVICE):
    """A mirrored pair of random logits, for all windows of an image."""
    rows, cols = (axes(size[i], size[i], windows[i], cells[i], device=device) for i in (0, 1))
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(2, num_classes, 9, 17, generator=generator)
    tile = 4 * F.interpolate(coarse, cells, mode='bicubic').to(device)
    tiles = [[tile + 0.1 * (s + c) for c in range(len(windows[1]))]
             for s in range(len(windows[0]))]
    return Layer(tiles, (False, True), rows.windows, cols.windows, rows.share, cols.share)


WHOLE = (((0, CITY[0]),), ((0, CITY[1]),))
STRIPS = tuple(tuple(spans(n, 512, 341)) for n in CITY)


@pytest.mark.parametrize(('windows', 'cells'), [
    (WHOLE, (128, 256)), (WHOLE, CITY), (STRIPS, (64, 64))], ids=['stride-8', 'stride-1', 'slide'])
def test_passes_of_a_city_frame(windows, cells, cuda_fuse):
    layer = layer_of(CITY, windows, cells)
    found = []
    for function in (cuda_fuse.launch, fuse_plain):
        total = torch.empty((19, *CITY), device=DEVICE)
        labels = torch.empty(CITY, dtype=torch.uint8, device=DEVICE)
        for number in range(3):  # first, middle and last
            function(layer, (0, CITY[0]), softmax=True, weigh=False, add=number > 0, store=True,
                     threshold=0.5, total=total, labels=labels if number == 2 else None)
        found.append((total / 6, labels))
    (ours, labels), (plain, expected) = found
    assert (ours - plain).abs().max() < 1e-5
    top = plain.topk(2, 0).values
    clear = top[0] - top[1] > 1e-5
    assert clear.float().mean() > 0.99
    assert labels.unique().numel() > 10
    assert torch.equal(labels[clear], expected[clear])


def test_offsets_beyond_32_bits(cuda_fuse):
    size, num_classes = (2048, 4096), 260  # 2.2e9 scores
    if torch.cuda.get_device_properties(0).total_memory < 24e9:
        pytest.skip('two sums of 8.7 GB do not fit into this GPU')
    layer = layer_of(size, (((0, size[0]),), ((0, size[1]),)), (16, 32), num_classes)
    total = torch.empty((num_classes, *size), device=DEVICE)
    cuda_fuse.launch(layer, (0, size[0]), softmax=True, weigh=False, add=False, store=True,
                     threshold=0.5, total=total, labels=None)
    rows = (size[0] - 8, size[0])
    plain = torch.zeros((num_classes, *size), device=DEVICE)
    fuse_plain(layer, rows, softmax=True, weigh=False, add=False, store=True, threshold=0.5,
               total=plain, labels=None)
    assert (total[:, slice(*rows)] - plain[:, slice(*rows)]).abs().max() < 1e-5


@pytest.mark.parametrize('windows', [WHOLE, STRIPS], ids=['whole', 'slide'])
def test_nothing_waits_for_the_device(windows, cuda_fuse):
    layer = layer_of(CITY, windows, (64, 64))
    total = torch.empty((19, *CITY), device=DEVICE)
    labels = torch.empty(CITY, dtype=torch.uint8, device=DEVICE)

    def run():
        cuda_fuse.fuse(layer, (0, CITY[0]), softmax=True, weigh=False, add=False, store=True,
                       threshold=0.5, total=total, labels=labels)

    run()  # compiles, which may ask the device what it is
    cuda_fuse._slots.cache_clear()  # the maps are made anew
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode('error')
    try:
        run()
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert not cuda_fuse._unusable


def test_windows_of_probabilities(cuda_fuse):
    """One window a call, weighed after the softmax, added to what is there; also mirrored."""
    layer = layer_of(CITY, STRIPS, (64, 64))
    found = []
    for function in (cuda_fuse.launch, fuse_plain):
        total = torch.zeros((19, *CITY), device=DEVICE)
        for s, row in enumerate(layer.rows):
            for c, col in enumerate(layer.cols):
                for m in (0, 1):
                    one = Layer([[layer.tiles[s][c][m:m + 1]]], (m == 1,), (row,), (col,),
                                layer.row_share, layer.col_share)
                    function(one, (row.start, row.stop), softmax=True, weigh=True, add=True,
                             store=True, threshold=0.5, total=total, labels=None)
        found.append(total)
    assert (found[0] - found[1]).abs().max() < 1e-5
    torch.testing.assert_close(found[0].sum(0), torch.full(CITY, 2., device=DEVICE))
