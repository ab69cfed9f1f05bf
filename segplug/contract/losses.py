"""What every loss keeps: ignored pixels have no part in it, and better logits cost less.

A loss is called as ``loss(logits (N, K, H, W), label (N, H, W), ignore_index=255)``, as heads call
it, and may take ``weight``, ``avg_factor`` and ``reduction_override``.
"""

import inspect
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..registry import MODELS
from .case import Case, Check, ContractError, Skipped, adds_to, hold, own_scope, seeded
from .heads import samples

CHECKS: list[Check] = []


@dataclass
class LossCase(Case):
    """A loss.

    Attributes:
        channels: K, or 1 for a sigmoid.
    """

    registry: object = field(default=MODELS)
    channels: int = 3

    def logits(self, seed: int = 0) -> Tensor:
        """(2, K, 4, 5)."""
        return torch.randn(2, self.channels, 4, 5, requires_grad=True,
                           generator=torch.Generator().manual_seed(seed))

    def label(self) -> Tensor:
        """(2, 4, 5) int64, 255 in two rows and a column."""
        label = torch.randint(0, max(2, self.channels), (2, 4, 5),
                              generator=torch.Generator().manual_seed(1))
        label[0, 1:3] = 255
        label[1, :, 0] = 255
        return label

    def criterion(self, **more) -> nn.Module:
        """The loss, with more settings."""
        with own_scope():
            return self.registry.build({**self.settings, **more})

    def needs(self, *names: str) -> None:
        """Skip where the loss takes no such argument in a call."""
        taken = inspect.signature(self.criterion().forward).parameters
        for name in names:
            if name not in taken and not self.strict:
                raise Skipped(f'it takes no {name}')


def is_called_so(case: LossCase) -> str | None:
    """A need of the checks that call it; of segplug's own they all do."""
    if not case.strict:
        try:
            case.criterion()(case.logits(), case.label(), ignore_index=255)
        except Exception:  # a third party's code may raise anything, which the first check tells
            return 'it cannot be called as heads call it'
    return None


@adds_to(CHECKS, 'scalar')
def it_is_one_finite_number(case: LossCase) -> None:
    """A float tensor without dimensions, with a finite gradient, of a call as heads call it."""
    logits = case.logits()
    try:
        loss = case.criterion()(logits, case.label(), ignore_index=255)
    except Exception as error:
        raise ContractError(
            f'{case.name} cannot be called with logits {tuple(logits.shape)}, a label (2, 4, 5) '
            f'and ignore_index=255: {type(error).__name__}: {str(error).rstrip(".")}.',
            fix="take **kwargs for what it does not use; if no head calls it so, write "
                f"dict(type='{case.name}', _contract_=dict(skip='why')) into segplug_contract"
            ) from error
    hold(isinstance(loss, Tensor) and loss.ndim == 0 and loss.is_floating_point(),
         f'{case.name} gives no float tensor () for logits {tuple(logits.shape)}.',
         got=tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__)
    hold(bool(loss.isfinite()), f'{case.name} is not finite.', got=loss.item())
    loss.backward()
    hold(bool(logits.grad.isfinite().all()), f'{case.name} has a gradient that is not finite.')
    hold(bool((logits.grad != 0).any()), f'{case.name} has no gradient.',
         fix='compute it from the logits without detach() or argmax')


@adds_to(CHECKS, 'ignored pixels', is_called_so)
def logits_under_ignored_pixels_move_nothing(case: LossCase) -> None:
    """Whatever the logits there are, loss and gradient are the same bits, and 0 there."""
    for ignore_index in (255, -1, 300) if case.strict else (255,):
        criterion, label, first = case.criterion(), case.label(), case.logits()
        ignored = (label == 255).unsqueeze(1)
        label[label == 255] = ignore_index
        second = torch.where(ignored, case.logits(2) * 50, first).detach().requires_grad_()
        losses = [criterion(x, label, ignore_index=ignore_index) for x in (first, second)]
        for loss in losses:
            loss.backward()
        hold(torch.equal(*losses), f'{case.name} depends on logits under ignored pixels.',
             got=f'{losses[0].item():.6g} and {losses[1].item():.6g}',
             fix='take the pixels whose label is ignore_index out before anything is summed')
        hold(torch.equal(first.grad, second.grad)
             and bool((first.grad[ignored.expand_as(first)] == 0).all()),
             f'{case.name} has a gradient under ignored pixels.')
        hold(bool((first.grad != 0).any()) and bool(first.grad.isfinite().all()),
             f'{case.name} has no finite gradient where pixels count.')


@adds_to(CHECKS, 'ignored batch', is_called_so)
def a_batch_that_is_ignored_as_a_whole_is_finite(case: LossCase) -> None:
    """No nan where no pixel counts; segplug's own losses are 0 there."""
    logits = case.logits()
    loss = case.criterion()(logits, torch.full((2, 4, 5), 255), ignore_index=255)
    if loss.requires_grad:
        loss.backward()
    gradient = torch.zeros(()) if logits.grad is None else logits.grad
    hold(bool(loss.isfinite()) and bool(gradient.isfinite().all()),
         f'{case.name} is not finite where every pixel is ignored.', got=loss.item(),
         fix='divide by the number of pixels that count, at least 1')
    if case.strict:
        hold(loss.item() == 0 and bool((gradient == 0).all()) and loss.requires_grad,
             f'{case.name} is not 0 where every pixel is ignored.', got=loss.item())


@adds_to(CHECKS, 'falls', is_called_so)
def it_falls_as_the_right_logits_rise(case: LossCase) -> None:
    """A better prediction costs less."""
    criterion, label, logits = case.criterion(), case.label(), case.logits()
    known = label.where(label != 255, 0).unsqueeze(1)
    right = (2.0 * known - 1 if logits.size(1) == 1
             else torch.zeros_like(logits).scatter_(1, known, 1.0))
    costs = [criterion(x, label, ignore_index=255).item() for x in (logits + right, logits)]
    hold(costs[0] < costs[1], f'{case.name} does not fall as the logits of the right classes '
         'rise.', got=f'{costs[1]:.6g}, and {costs[0]:.6g} with better logits')


@adds_to(CHECKS, 'name and weight', is_called_so)
def it_takes_a_weight_and_a_name(case: LossCase) -> None:
    """``loss_weight`` is a factor, and ``loss_name`` is kept."""
    taken = inspect.signature(type(case.criterion())).parameters
    if not ({'loss_weight', 'loss_name'} <= set(taken) or case.strict):
        raise Skipped('it takes no loss_weight and loss_name')
    label, logits = case.label(), case.logits()
    criterion = case.criterion(loss_name='loss_x', loss_weight=1.0)
    hold(criterion.loss_name == 'loss_x', f'{case.name} forgets its loss_name.')
    one, quarter = (found(logits, label, ignore_index=255) for found in (
        criterion, case.criterion(loss_weight=0.25)))
    hold(torch.allclose(quarter, 0.25 * one), f'{case.name} with loss_weight=0.25 is not a '
         'quarter of itself.', got=quarter.item(), expected=0.25 * one.item())


@adds_to(CHECKS, 'weight of pixels', is_called_so)
def a_pixel_of_weight_zero_is_out(case: LossCase) -> None:
    """As a sampler gives it."""
    case.needs('weight')
    criterion, label, logits = case.criterion(), case.label(), case.logits()
    weight = torch.ones(2, 4, 5)
    weight[0, 0] = 0
    criterion(logits, label, weight=weight, ignore_index=255).backward()
    hold(bool((logits.grad[0, :, 0] == 0).all()),
         f'{case.name} learns from pixels of weight 0.', fix='multiply by weight before the sum')


@adds_to(CHECKS, 'reduction', is_called_so)
def a_call_chooses_the_reduction(case: LossCase) -> None:
    """``reduction_override`` 'none', 'mean' or 'sum', and ``avg_factor``."""
    case.needs('reduction_override')
    criterion, label, logits = case.criterion(), case.label(), case.logits()
    none, mean, whole = (criterion(logits, label, ignore_index=255, reduction_override=name)
                         for name in ('none', 'mean', 'sum'))
    hold(torch.allclose(none.sum(), whole) and mean.ndim == whole.ndim == 0,
         f"{case.name} with reduction_override='sum' is not the sum of 'none'.",
         got=whole.tolist(), expected=none.sum().item())
    if none.ndim:
        seventh = criterion(logits, label, ignore_index=255, avg_factor=7)
        hold(torch.allclose(seventh, whole / 7), f'{case.name} with avg_factor=7 is not a seventh '
             'of the sum.', got=seventh.item(), expected=whole.item() / 7)


@adds_to(CHECKS, 'half precision', is_called_so)
def half_precision_logits_cost_what_their_values_do(case: LossCase) -> None:
    """bf16 logits under autocast are added up in float32."""
    criterion, label = case.criterion(), case.label()
    logits = case.logits().detach().bfloat16()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = criterion(logits, label, ignore_index=255)
    whole = criterion(logits.float(), label, ignore_index=255)
    hold(half.dtype == torch.float32 or not case.strict, f'{case.name} is added up in half '
         'precision.', got=half.dtype)
    hold(torch.allclose(half.float(), whole, rtol=1e-4 if case.strict else 0.05),
         f'{case.name} of bf16 logits differs from that of the same values.', got=half.item(),
         expected=whole.item(), fix='start forward with logits = logits.float()')


@adds_to(CHECKS, 'memory format', is_called_so)
def memory_format_changes_next_to_nothing(case: LossCase) -> None:
    """Logits of a channels_last network, and the transposed ones of attention over pixels."""
    criterion, label, plain = case.criterion(), case.label(), case.logits()
    wanted = criterion(plain, label, ignore_index=255)
    wanted.backward()
    for strided in (plain.detach().contiguous(memory_format=torch.channels_last),
                    plain.detach().transpose(2, 3).contiguous().transpose(2, 3)):
        strided.requires_grad_()
        loss = criterion(strided, label, ignore_index=255)
        loss.backward()
        hold(torch.allclose(loss, wanted, rtol=1e-5) and
             torch.allclose(strided.grad, plain.grad, rtol=1e-4, atol=1e-7),
             f'{case.name} of logits in another memory format is another.', got=loss.item(),
             expected=wanted.item(), fix='use reshape instead of view')


def _trains(case: LossCase, loss_decode) -> set[str]:
    """The names of a head's losses, whose classifier has learned."""
    head_cfg = dict(type='FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False,
                    num_classes=max(2, case.channels), out_channels=case.channels,
                    loss_decode=loss_decode)
    with seeded(0), own_scope():
        head = MODELS.build(head_cfg)
        losses = head.loss([torch.randn(2, 4, 2, 3)], samples(case.label().to(torch.uint8)))
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    hold(bool((head.conv_seg.weight.grad != 0).any()),
         f'A head with {case.name} learns nothing from it.', got=', '.join(losses),
         fix="its loss_name has to hold the word 'loss'")
    return set(losses)


@adds_to(CHECKS, 'in a head', is_called_so)
def it_trains_a_head(case: LossCase) -> None:
    """By itself, and beside another loss."""
    own = getattr(case.criterion(), 'loss_name', None)
    hold(own is not None, f'{case.name} has no loss_name, by which a head adds its losses up.',
         fix="give it a property loss_name, such as 'loss_mine'")
    other = dict(type='CrossEntropyLoss', use_sigmoid=True, loss_name='loss_other')
    for loss_decode, names in ((case.settings, {own}),
                               ([case.settings, other], {own, 'loss_other'})):
        found = _trains(case, loss_decode)
        hold(found == names | {'acc_seg'}, f'A head with {case.name} has other losses.',
             got=', '.join(sorted(found)), expected=', '.join(sorted(names | {'acc_seg'})))
