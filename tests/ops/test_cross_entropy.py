"""The cross entropy of small logits against resizing them first, with the kernel and without."""

import math

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError, DataError, ShapeError
from segplug.ops import cross_entropy as module
from segplug.ops import kernels
from segplug.ops.cross_entropy import resized_cross_entropy


@pytest.fixture(params=['compiled', 'plain'], autouse=True)
def kernel(request, monkeypatch):
    """Every test runs with the compiled kernel and without it."""
    monkeypatch.setenv('SEGPLUG_KERNELS', 'on' if request.param == 'compiled' else 'off')
    if request.param == 'compiled' and not kernels.cross_entropy_for(torch.device('cpu')):
        pytest.skip('numba, which compiles the kernel, is not installed')


def drawn(shape, size, seed=0):
    """Logits of ``shape`` and labels of ``size``, a tenth of them ignored."""
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(shape, generator=generator)
    label = torch.randint(0, shape[1], (shape[0], *size), generator=generator)
    label[torch.rand(label.shape, generator=generator) < 0.1] = 255
    return logits, label


def expected(logits, label, class_weight=None, ignore_index=None, align_corners=False):
    """The definition in float64: total, right pixels, gradient."""
    logits = logits.detach().double().requires_grad_()
    full = F.interpolate(logits, label.shape[1:], mode='bilinear', align_corners=align_corners)
    valid = torch.ones_like(label, dtype=torch.bool) if ignore_index is None \
        else label != ignore_index
    weight = torch.ones(logits.shape[1]) if class_weight is None else class_weight
    target = label.where(valid, 0)
    own = full.log_softmax(1).gather(1, target[:, None])[:, 0]
    total = -(own * weight.double()[target])[valid].sum()
    right = ((full.argmax(1) == label) & valid).sum()
    return total.item(), right.item(), torch.autograd.grad(total, logits)[0]


def check(logits, label, *arguments):
    want, right, gradient = expected(logits, label, *arguments)
    logits.requires_grad_()
    total, num_right = resized_cross_entropy(logits, label, *arguments)
    total.backward()
    assert total.item() == pytest.approx(want, rel=1e-6)
    assert num_right.item() == right
    assert (logits.grad - gradient).abs().max() <= 1e-5 * gradient.abs().max()


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize(('cells', 'size'), [
    ((8, 16), (64, 128)), ((5, 7), (33, 50)), ((6, 6), (6, 6)), ((9, 11), (4, 5)), ((1, 1), (3, 2)),
    ((20, 3), (21, 40)), ((3, 5), (1, 1))], ids=str)
def test_any_sizes(cells, size, align_corners):
    check(*drawn((2, 5, *cells), size), None, 255, align_corners)


@pytest.mark.parametrize('num_classes', [2, 150, 700])
def test_any_number_of_classes_and_class_weights(num_classes):
    """Rows are cut to pieces: 128 pixels of 150 classes of 218, at most."""
    logits, label = drawn((1, num_classes, 2, 40), (3, 300))
    check(logits, label, torch.rand(num_classes, generator=torch.Generator().manual_seed(1)), 255)


def test_by_hand():
    """Two cells with logits (0, 0) and (0, ln 3) at two pixels labelled 1: ln 2 and ln(4 / 3).

    The gradient by class 1 is its probability less 1: -1/2 and -1/4. The first pixel's two
    classes are equal, so class 0 is its prediction.
    """
    logits = torch.tensor([[[[0.0, 0.0]], [[0.0, math.log(3)]]]], requires_grad=True)
    total, right = resized_cross_entropy(logits, torch.ones(1, 1, 2, dtype=torch.int64))
    (10 * total).backward()
    assert total.item() == pytest.approx(math.log(8 / 3), rel=1e-6)
    assert right.item() == 1
    torch.testing.assert_close(logits.grad, torch.tensor([[[[5, 2.5]], [[-5, -2.5]]]]))


def test_only_what_counts_is_learnt_from():
    logits, label = drawn((2, 3, 4, 4), (16, 16))
    logits.requires_grad_()
    total, right = resized_cross_entropy(logits, torch.full_like(label, 255), None, 255)
    total.backward()
    assert (total.item(), right.item(), logits.grad.abs().sum().item()) == (0, 0, 0)
    check(logits.detach(), label.where(label != 255, 0).where(label != 1, 0), None, 0)


def test_far_logits_and_those_that_are_no_number():
    logits, label = drawn((1, 3, 4, 4), (8, 8))
    check(1e4 * logits, label, None, 255)
    logits[0, 1, 2, 2] = math.nan
    assert resized_cross_entropy(logits, label, None, 255)[0].isnan()


def test_gradient_by_differences():
    logits, label = drawn((2, 3, 3, 2), (7, 5))
    weight = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: resized_cross_entropy(x, label, weight, 255)[0], logits.double().requires_grad_())


def test_nothing_is_kept_where_no_gradient_is_wanted():
    logits, label = drawn((1, 3, 4, 4), (8, 8))
    with_gradient, _ = resized_cross_entropy(logits.clone().requires_grad_(), label, None, 255)
    assert not resized_cross_entropy(logits, label, None, 255)[0].requires_grad
    with torch.inference_mode():
        total, _ = resized_cross_entropy(logits, label, None, 255)
    assert total.item() == with_gradient.item()


def test_a_second_derivative_is_refused():
    logits, label = drawn((1, 3, 4, 4), (8, 8))
    total, _ = resized_cross_entropy(logits.requires_grad_(), label, None, 255)
    with pytest.raises(ConfigError, match='differentiated once'):
        torch.autograd.grad(total, logits, create_graph=True)


@pytest.mark.filterwarnings('default')  # torch's own, of its tracing
def test_torch_compile_sees_plain_torch():
    logits, label = drawn((1, 3, 4, 4), (8, 8))
    want, _, gradient = expected(logits, label, None, 255)
    total, _ = torch.compile(resized_cross_entropy, backend='eager')(
        logits.requires_grad_(), label, None, 255)
    total.backward()
    assert total.item() == pytest.approx(want, rel=1e-6)
    torch.testing.assert_close(logits.grad, gradient.float())


def test_half_precision_is_resized_as_float32():
    logits, label = drawn((1, 4, 4, 4), (16, 16))
    half = logits.bfloat16().requires_grad_()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        total, _ = resized_cross_entropy(half, label, None, 255)
    total.backward()
    want, _, gradient = expected(half, label, None, 255)
    assert total.dtype == torch.float32
    assert total.item() == pytest.approx(want, rel=1e-6)
    assert half.grad.dtype == torch.bfloat16
    torch.testing.assert_close(half.grad, gradient.bfloat16())


def test_neither_chunks_nor_threads_nor_layout_change_anything(monkeypatch):
    logits, label = drawn((3, 5, 6, 10), (24, 40))
    found, before = [], torch.get_num_threads()
    for num_threads, values, form in [(1, 1 << 26, torch.contiguous_format),
                                      (2, 1, torch.channels_last)]:
        monkeypatch.setattr(module, '_CHUNK_VALUES', values)
        torch.set_num_threads(num_threads)
        x = logits.clone(memory_format=form).requires_grad_()
        total, _ = resized_cross_entropy(x, label, None, 255)
        total.backward()
        found.append((total.detach(), x.grad))
    torch.set_num_threads(before)
    for first, second in zip(*found, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-6, atol=1e-6)


def test_labels_that_do_not_fit():
    logits, label = drawn((2, 3, 4, 4), (8, 8))
    with pytest.raises(ShapeError, match='does not fit'):
        resized_cross_entropy(logits, label[:1])
    with pytest.raises(ShapeError, match='does not fit'):
        resized_cross_entropy(logits, label[:, None])
    # plain torch says it in its own words
    with pytest.raises((DataError, IndexError), match='no class|out of bounds'):
        resized_cross_entropy(logits, label, None, None)
