"""Gradients between the batches of a step; that a run resumes with them is shown in test_resume."""

from pathlib import Path

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from resume_toy import Case, case_cfg, train
from torch import nn

from segplug.engine import accumulation
from segplug.engine.checkpoint import load_checkpoint, save_checkpoint


def wrapper_after(batches: int, counts: int = 3, last: int = 8) -> OptimWrapper:
    model = nn.Linear(1, 1)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=counts)
    wrapper.initialize_count_status(model, 0, last)
    for _ in range(batches):
        wrapper.update_params(model(torch.ones(1, 1)).sum())
    return wrapper


def test_pending():
    # Steps after 3 and 6 batches, and after the last, the eighth.
    assert [accumulation.pending(wrapper_after(n)) for n in range(9)] == [
        False, True, True, False, True, True, False, True, False]
    assert not accumulation.pending(wrapper_after(1, counts=1))
    assert accumulation.pending(OptimWrapperDict(a=wrapper_after(3), b=wrapper_after(4)))
    assert not accumulation.pending(OptimWrapperDict(a=wrapper_after(3)))


def test_gathered_gradients_are_those_of_the_parameters_that_have_one():
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    model[1].bias.grad = torch.tensor([3.0])
    [part] = accumulation.gather(model)
    assert part == {'1.bias': torch.tensor([3.0])}
    model[1].bias.grad.zero_()
    assert part['1.bias'] == 3  # a copy
    other = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    accumulation.restore(other, [part])
    assert other[1].bias.grad == 3
    assert other[0].bias.grad is None


def test_another_number_of_ranks_shares_the_mean():
    # The step averages over ranks: (1 + 5) / 2 on each of any number of ranks.
    model = nn.Linear(1, 1, bias=False)
    accumulation.restore(model, [dict(weight=torch.tensor([[1.0]])),
                                 dict(weight=torch.tensor([[5.0]]))])
    assert model.weight.grad == 3


def test_counts_of_several_are_taken_up():
    wrappers = OptimWrapperDict(a=wrapper_after(3), b=wrapper_after(4))
    anew = OptimWrapperDict(a=wrapper_after(0), b=wrapper_after(0))
    assert accumulation.counts(wrappers) == dict(a=3, b=4)
    accumulation.restore_counts(anew, accumulation.counts(wrappers))
    assert accumulation.counts(anew) == dict(a=3, b=4)
    assert accumulation.counts(wrapper_after(3)) == {}
    assert [accumulation.may_hold(one) for one in (anew, wrapper_after(3), wrapper_after(4))] == [
        True, False, True]


@pytest.mark.parametrize('lost', [False, True])
def test_mmengines_warning_is_given_only_where_gradients_are_lost(lost, tmp_path):
    case = Case(accumulate=True)
    train(case_cfg(case, tmp_path / 'whole'))
    saved = load_checkpoint(tmp_path / 'whole' / 'iter_5.pth')
    assert len(saved['gradients']) == 1
    if lost:
        del saved['gradients']
    save_checkpoint(saved, tmp_path / 'a.pth')
    runner = train(case_cfg(case, tmp_path / 'resumed', resume=True, log_level='WARNING',
                            load_from=str(tmp_path / 'a.pth')))
    log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    assert (accumulation.MMENGINE_WARNS in log) is lost
    assert 'gradients' not in load_checkpoint(tmp_path / 'whole' / 'iter_4.pth')
