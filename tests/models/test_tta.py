"""The test step against a slow reference that states its definition, compiled and in plain torch.

The network is a strided convolution, so its logits are smaller than its input, and the
preprocessor pads to a multiple of 8.
"""

import importlib.util
import math

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ShapeError
from segplug.models.preprocessor import SegDataPreProcessor
from segplug.models.tta import TestCfg, predict_image
from segplug.ops import fuse, memory
from segplug.ops.windows import windows

SIZE = (37, 50)
SCALES = (0.5, 1.0, 1.75)
SLIDE = dict(mode='slide', crop_size=(24, 32), stride=(16, 20))


@pytest.fixture(params=['compiled', 'plain'], autouse=True)
def kernels(request, monkeypatch):
    """Every test runs with the compiled kernels and without them."""
    if request.param == 'compiled' and importlib.util.find_spec('numba') is None:
        pytest.skip('numba, which compiles the kernels, is not installed')
    monkeypatch.setenv('SEGPLUG_KERNELS', 'on' if request.param == 'compiled' else 'off')
    return request.param


class Network:
    """(N, 3, H, W) -> (N, K, H / 4, W / 4); counts what it saw."""

    def __init__(self, channels=5, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.weight = torch.randn(channels, 3, 7, 7, generator=generator)
        self.batches = []

    def __call__(self, x):
        self.batches.append(tuple(x.shape))
        return F.conv2d(x, self.weight, stride=4, padding=3)


def prepare(x, divisor=8):
    valid = tuple(x.shape[-2:])
    pad = [math.ceil(s / divisor) * divisor - s for s in valid]
    return F.pad((x - 120) / 60, (0, pad[1], 0, pad[0])), valid


def unpadded(x):
    return (x - 120) / 60, tuple(x.shape[-2:])


def image(seed=1):
    generator = torch.Generator().manual_seed(seed)
    small = torch.randint(0, 256, (1, 3, 6, 8), generator=generator).float()
    return F.interpolate(small, SIZE, mode='bicubic').clamp(0, 255).to(torch.uint8)[0]


def reference(network, img, out, cfg, prepare, align):
    """Mean probabilities of all augmentations, pixel by pixel; slow and plain."""
    total = 0
    for scale in cfg.scales:
        size = [int(s * scale + .5) for s in img.shape[1:]]
        view = F.interpolate(img[None].float(), size, mode='bilinear', align_corners=False)
        for flipped in ((False, True) if cfg.flip else (False,)):
            x, valid = prepare(view.flip(-1) if flipped else view)
            scores, count = 0, 0
            for rows, cols in (windows(x.shape[2:], cfg.crop_size, cfg.stride)
                               if cfg.mode == 'slide' else [((0, x.shape[2]), (0, x.shape[3]))]):
                logits = network(x[:, :, slice(*rows), slice(*cols)])[0]
                dense, seen = window_at_output(logits, out, valid, rows, cols, align)
                if cfg.mode == 'slide' and cfg.window_average == 'probs':
                    dense = dense.softmax(0) * seen
                scores, count = scores + dense, count + seen
            scores = scores / count
            if cfg.mode == 'whole' or cfg.window_average == 'logits':
                scores = scores.softmax(0)
            total = total + (scores.flip(-1) if flipped else scores)
    return total / cfg.num_augs


def window_at_output(logits, out, valid, rows, cols, align):
    """Bilinear values of one window at the output pixels, one pixel at a time."""
    dense = torch.zeros(logits.shape[0], *out, dtype=torch.float64)
    seen = torch.zeros(out)
    for i in range(out[0]):
        for j in range(out[1]):
            cells = [cell(p, *args, align) for p, args in
                     ((i, (out[0], valid[0], rows, logits.shape[1])),
                      (j, (out[1], valid[1], cols, logits.shape[2])))]
            if None not in cells:
                seen[i, j] = 1
                dense[:, i, j] = sum(
                    wy * wx * logits[:, y, x].double()
                    for y, wy in corners(cells[0]) for x, wx in corners(cells[1]))
    return dense, seen


def cell(pixel, out, valid, span, cells, align):
    """Where an output pixel falls among the cells of a window; None outside of the window."""
    if align:
        place = pixel * (valid - 1) / (out - 1)
        centre, where = place + .5, (place - span[0]) * (cells - 1) / (span[1] - span[0] - 1)
    else:
        centre = (pixel + .5) * valid / out
        where = (centre - span[0]) * cells / (span[1] - span[0]) - .5
    return min(max(where, 0), cells - 1) if span[0] <= centre < span[1] else None


def corners(where):
    low = int(where)
    return [(low, 1 - (where - low))] + ([(low + 1, where - low)] if where > low else [])


def check(cfg, *, prepare=prepare, align=False, out=SIZE):
    network, img = Network(), image()
    expected = reference(network, img, out, cfg, prepare, align)
    found = predict_image(network, img, out, cfg, prepare, out_channels=5, align_corners=align)
    if found.probs is not None:
        assert (found.probs.double() - expected).abs().max() < 1e-5
    top = expected.topk(2, dim=0).values
    clear = top[0] - top[1] > 1e-5
    assert clear.float().mean() > .95
    assert torch.equal(found.labels.long()[clear], expected.argmax(0)[clear])
    assert found.labels.unique().numel() > 2


@pytest.mark.parametrize('align', [False, True])
@pytest.mark.parametrize('prepare', [prepare, unpadded])
@pytest.mark.parametrize('settings', [
    dict(), SLIDE, dict(SLIDE, window_average='probs'), dict(window_average='probs')],
    ids=['whole', 'slide', 'slide-probs', 'whole-probs'])
def test_multi_scale_with_flip_equals_the_reference(settings, prepare, align):
    check(TestCfg(scales=SCALES, flip=True, save_logits=True, **settings), prepare=prepare,
          align=align)


@pytest.mark.parametrize('settings', [dict(), SLIDE, dict(SLIDE, window_average='probs')],
                         ids=['whole', 'slide', 'slide-probs'])
def test_plain_test_equals_the_reference(settings):
    check(TestCfg(**settings))


def test_original_size_differs_from_the_packed_image():
    check(TestCfg(save_logits=True, flip=True), out=(51, 70))


def test_bands_change_nothing(monkeypatch, kernels):
    cfg = TestCfg(scales=SCALES, flip=True, save_logits=True)
    whole = predict_image(Network(), image(), SIZE, cfg, prepare, out_channels=5)
    if kernels == 'plain':
        monkeypatch.setattr('segplug.ops.fuse._BAND_VALUES', 1)
    else:
        monkeypatch.setattr('segplug.ops.kernels.cpu_fuse._PIECE_VALUES', 1)
    banded = predict_image(Network(), image(), SIZE, cfg, prepare, out_channels=5)
    torch.testing.assert_close(whole.probs, banded.probs, rtol=0, atol=1e-6)
    assert torch.equal(whole.labels, banded.labels)


def test_upsample_twice_is_mmsegmentations_procedure():
    """To the network's input, padding cut, to the original size; windows at the input size."""
    network, img, out = Network(), image(), (51, 70)
    for settings in (dict(), SLIDE):
        x, valid = prepare(img[None].float())
        spans = (windows(x.shape[2:], (24, 32), (16, 20)) if settings
                 else [((0, x.shape[2]), (0, x.shape[3]))])
        total, count = torch.zeros(1, 5, *x.shape[2:]), torch.zeros(x.shape[2:])
        for (y1, y2), (x1, x2) in spans:
            logits = network(x[:, :, y1:y2, x1:x2])
            total[:, :, y1:y2, x1:x2] += F.interpolate(logits, (y2 - y1, x2 - x1), mode='bilinear')
            count[y1:y2, x1:x2] += 1
        expected = F.interpolate((total / count)[..., :valid[0], :valid[1]], out, mode='bilinear')
        cfg = TestCfg(upsample='twice', save_logits=True, **settings)
        found = predict_image(network, img, out, cfg, prepare, out_channels=5)
        torch.testing.assert_close(found.logits, expected[0], rtol=1e-4, atol=1e-4)
        assert torch.equal(found.labels.long(), found.logits.argmax(0))


def test_upsample_twice_averages_probabilities_of_windows():
    cfg = TestCfg(**SLIDE, window_average='probs', upsample='twice', save_logits=True)
    once = TestCfg(**SLIDE, window_average='probs', save_logits=True)
    found = [predict_image(Network(), image(), SIZE, c, unpadded, out_channels=5).probs
             for c in (cfg, once)]
    # the input has the original size, so the second step does nothing
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-6)
    torch.testing.assert_close(found[0].sum(0), torch.ones(SIZE))


@pytest.mark.parametrize(('settings', 'softmax'), [
    (dict(), False), (SLIDE, False), (dict(upsample='twice'), False), (dict(flip=True), True),
    (dict(SLIDE, window_average='probs'), True)])
def test_one_augmentation_takes_no_softmax(settings, softmax, monkeypatch):
    seen = set()

    def recorded(*args, **kwargs):
        seen.add(kwargs['softmax'])
        return fuse.fuse_plain(*args, **kwargs)

    monkeypatch.setattr('segplug.ops.fuse.fuse', recorded)
    predict_image(Network(), image(), SIZE, TestCfg(**settings), prepare, out_channels=5)
    assert seen == {softmax}


def test_scores_are_kept_only_if_asked_for():
    found = predict_image(Network(), image(), SIZE, TestCfg(), prepare, out_channels=5)
    assert found.logits is None
    assert found.probs is None
    assert found.labels.dtype == torch.uint8
    kept = predict_image(Network(), image(), SIZE, TestCfg(save_logits=True), prepare,
                         out_channels=5)
    assert kept.logits.shape == (5, *SIZE)
    assert torch.equal(kept.labels, found.labels)


def test_image_and_mirror_are_one_batch_and_windows_go_in_batches():
    network = Network()
    for batch in (3, None):
        predict_image(network, image(), SIZE, TestCfg(flip=True, window_batch=batch, **SLIDE),
                      unpadded, out_channels=5)
    # rows: 24 of 37 -> 2 windows; columns: 32 of 50 -> 2; three of the four windows and their
    # mirrors at once, then the last; on a CPU by default one after the other
    assert [b[0] for b in network.batches] == [6, 2, 2, 2, 2, 2]
    assert {b[1:] for b in network.batches} == {(3, 24, 32)}


def test_base_size_scales_the_long_side():
    network = Network()
    cfg = TestCfg(scales=(0.5, 1.0), base_size=100)
    predict_image(network, image(), SIZE, cfg, unpadded, out_channels=5)
    assert [b[2:] for b in network.batches] == [(37, 50), (74, 100)]


def test_binary_model_uses_a_sigmoid_and_its_threshold():
    network = Network(channels=1)
    plain = predict_image(network, image(), SIZE, TestCfg(save_logits=True), prepare,
                          out_channels=1, threshold=.3)
    assert torch.equal(plain.labels.bool(), plain.logits[0].sigmoid() > .3)
    both = predict_image(network, image(), SIZE, TestCfg(flip=True, save_logits=True), prepare,
                         out_channels=1, threshold=.3)
    assert torch.equal(both.labels.bool(), both.probs[0] > .3)


@pytest.mark.parametrize(('settings', 'buffers'), [
    (dict(), 0), (SLIDE, 0), (dict(flip=True), 0), (dict(scales=(1.0, 1.5)), 1),
    (dict(scales=SCALES, flip=True), 1), (dict(SLIDE, scales=SCALES, flip=True), 1),
    (dict(SLIDE, scales=SCALES, flip=True, window_average='probs'), 1)])
def test_one_buffer_at_full_size_however_many_augmentations(settings, buffers, monkeypatch):
    made = []
    empty = memory.empty
    monkeypatch.setattr('segplug.ops.memory.empty',
                        lambda shape, *a: made.append(shape) or empty(shape, *a))
    predict_image(Network(), image(), SIZE, TestCfg(**settings), prepare, out_channels=5)
    # rows of the image first; K = 5
    assert [shape for shape in made if shape == (37, 5, 50)] == [(37, 5, 50)] * buffers


@pytest.mark.parametrize('settings', [
    dict(), dict(scales=SCALES, flip=True), dict(SLIDE, flip=True),
    dict(SLIDE, scales=SCALES, window_average='probs'), dict(SLIDE, upsample='twice')])
def test_threads_change_no_bit(settings, kernels):
    if kernels == 'plain':
        pytest.skip('torch shares out its sums to threads; a test fixes their number for that')
    cfg, found = TestCfg(save_logits=True, **settings), []
    before = torch.get_num_threads()
    for count in (1, 3):
        torch.set_num_threads(count)
        network = CachedNetwork()
        found.append(predict_image(network, image(), SIZE, cfg, unpadded, out_channels=5))
    torch.set_num_threads(before)
    assert torch.equal(found[0].labels, found[1].labels)
    for key in ('probs', 'logits'):
        one, other = (getattr(f, key) for f in found)
        assert (one is None and other is None) or torch.equal(one, other)


class CachedNetwork:
    """Logits of any input's size that no thread count changes."""

    def __call__(self, x):
        generator = torch.Generator().manual_seed(x.shape[3])
        return torch.randn(len(x), 5, x.shape[2] // 4 + 1, x.shape[3] // 4 + 1,
                           generator=generator)


def test_nan_is_told_and_does_not_stop_the_test():
    class Broken(Network):
        def __call__(self, x):
            logits = super().__call__(x)
            if len(self.batches) == 2:
                logits[0, 3, 0, 0] = torch.nan
            return logits

    cfg = TestCfg(scales=SCALES)
    assert predict_image(Network(), image(), SIZE, cfg, prepare, out_channels=5).is_finite
    assert not predict_image(Broken(), image(), SIZE, cfg, prepare, out_channels=5).is_finite


def test_views_of_the_preprocessor_are_the_plain_ones():
    """Resized, mirrored and prepared in one step, as resizing and `prepare` do it."""
    pre = SegDataPreProcessor(mean=[120.] * 3, std=[60.] * 3, bgr_to_rgb=True,
                              test_cfg=dict(size_divisor=8))
    cfg = TestCfg(scales=SCALES, flip=True, save_logits=True)
    found = [predict_image(Network(), image(), SIZE, cfg, pre.prepare, out_channels=5, views=v)
             for v in (None, pre.views)]
    torch.testing.assert_close(found[0].probs, found[1].probs, rtol=0, atol=1e-5)


def test_windows_must_give_logits_of_one_size():
    class Growing(Network):
        def __call__(self, x):
            return F.interpolate(super().__call__(x), scale_factor=len(self.batches))

    with pytest.raises(ShapeError, match='wrong shape'):
        predict_image(Growing(), image(), SIZE, TestCfg(window_batch=1, **SLIDE), prepare,
                      out_channels=5)


def test_network_with_a_wrong_number_of_channels():
    with pytest.raises(ShapeError, match=r'Got: \(1, 5, .*Expected: \(1, 4, h, w\)'):
        predict_image(Network(), image(), SIZE, TestCfg(), prepare, out_channels=4)
