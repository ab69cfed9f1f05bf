"""Resuming from a state that was changed: one sentence that names the file."""

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import MultiStepLR, OptimWrapper

from segplug.engine.foreign_state import check_optimizers, check_schedulers, restoring
from segplug.engine.state import load_hub_state
from segplug.errors import CheckpointError, ConfigError


@pytest.mark.parametrize('error', [KeyError('lr'), TypeError('no'), AssertionError('lengths'),
                                   RuntimeError('sizes differ.')])
def test_what_fails_inside_names_the_file(error):
    with pytest.raises(CheckpointError, match='a.pth holds a state of another run'), \
            restoring('a.pth'):
        raise error


def test_our_own_errors_and_those_of_the_machine_pass():
    with pytest.raises(ConfigError, match='Wrong'), restoring('a.pth'):
        raise ConfigError('Wrong.')
    with pytest.raises(OSError, match='full'), restoring('a.pth'):
        raise OSError('full')


def wrapper(**changes):
    net = torch.nn.Linear(2, 1)
    net(torch.ones(1, 2)).sum().backward()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    optimizer.step()
    optimizer.param_groups[0].update(changes)
    return OptimWrapper(optimizer), net


def test_a_sound_optimizer_passes_also_with_tensors_for_numbers():
    check_optimizers(wrapper()[0])
    check_optimizers(wrapper(lr=torch.tensor(0.1))[0])


def test_settings_and_momenta_that_would_fail_later_are_named():
    with pytest.raises(ValueError, match="group 0 of the optimizer has lr='0.1'"):
        check_optimizers(wrapper(lr='0.1')[0])
    with pytest.raises(ValueError, match='group 0 of the optimizer has lr=tensor'):
        check_optimizers(wrapper(lr=torch.zeros(1).to_sparse())[0])
    made, _ = wrapper()
    del made.optimizer.param_groups[0]['momentum']
    with pytest.raises(ValueError, match="no 'momentum'"):
        check_optimizers(made)
    made, net = wrapper()
    made.optimizer.state[net.weight]['momentum_buffer'] = torch.zeros(3)
    with pytest.raises(ValueError, match=r'momentum_buffer of group 0 .* \(1, 2\)'):
        check_optimizers(made)


def test_another_packages_optimizer_may_keep_smaller_momenta():
    class LowRank(torch.optim.AdamW):
        """As GaLore's."""

    weight = torch.nn.Parameter(torch.ones(4, 4))
    optimizer = LowRank([weight])
    optimizer.state[weight] = dict(exp_avg=torch.zeros(1, 4), exp_avg_sq=torch.zeros(1, 4))
    check_optimizers(OptimWrapper(optimizer))
    del optimizer.param_groups[0]['betas']
    with pytest.raises(ValueError, match="no 'betas'"):
        check_optimizers(OptimWrapper(optimizer))


@pytest.mark.parametrize('changes', [
    {'last_step': 'x'}, {'base_values': torch.zeros(3)}, {'base_values': [None]},
    {'gamma': torch.zeros(1).to_sparse()}, {'_global_step': torch.zeros(2)}], ids=str)
def test_schedules_that_would_fail_later_are_named(changes):
    scheduler = MultiStepLR(wrapper()[0], milestones=[3])
    check_schedulers([scheduler])
    check_schedulers({'a': [scheduler]})
    vars(scheduler).update(changes)
    with pytest.raises(ValueError, match=f'MultiStepLR has {next(iter(changes))}='):
        check_schedulers({'a': [scheduler]})


@pytest.mark.parametrize('state', [
    dict(log_scalars=dict(a=dict(log_history=torch.zeros(1, dtype=torch.complex64),
                                 count_history=torch.ones(1), max_length=3))),
    dict(runtime_info=dict(last_ckpt=torch.zeros(2))), dict(runtime_info=dict(best_ckpt=3))])
def test_a_log_that_a_hook_would_fail_with(state):
    with pytest.raises(CheckpointError, match='no path but|not of real numbers'), \
            restoring('a.pth'):
        load_hub_state(MessageHub('foreign_state'), state)
