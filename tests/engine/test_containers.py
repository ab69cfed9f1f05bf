"""Which network of a file is meant, and what wrappers put before its names."""

import pytest
import torch

from segplug.engine.containers import choose_weights, weights_of
from segplug.errors import CheckpointError

PARTS = ('backbone', 'decode_head')


def weights(value: float = 1.0, prefix: str = '') -> dict:
    return {f'{prefix}{name}': torch.tensor([value])
            for name in ('backbone.weight', 'backbone.bias', 'decode_head.weight')}


def chosen(checkpoint, parts=PARTS, **options) -> float:
    found, _ = choose_weights(checkpoint, 'a.pth', parts=parts, **options)
    assert list(found) == list(weights())
    return found['backbone.weight'].item()


def test_without_wrappers():
    state = {'module.a': torch.ones(1), 'module.module.b': torch.ones(2), 'note': 'text'}
    assert list(weights_of(dict(state_dict=state))) == ['a', 'b']
    assert list(weights_of(state)) == ['a', 'b']
    assert list(weights_of({'_orig_mod.module.a._orig_mod.b': torch.ones(1)})) == ['a.b']
    assert list(weights_of({'model.a': torch.ones(1)})) == ['model.a'], 'of no model in particular'


@pytest.mark.parametrize('key', ['state_dict', 'model', 'net', 'params', 'teacher', 'anything'])
@pytest.mark.parametrize('prefix', ['', 'module.', 'model.', 'model._orig_mod.', 'net.module.'])
def test_every_container_and_prefix(key, prefix):
    assert chosen({key: weights(prefix=prefix), 'epoch': 3, 'optimizer': dict(
        state={0: dict(momentum_buffer=torch.ones(1))}, param_groups=[])}) == 1
    assert chosen(weights(prefix=prefix)) == 1


def test_metadata_goes_along():
    class State(dict):
        _metadata = {'': dict(version=1)}

    assert weights_of(dict(state_dict=State(a=torch.ones(1))))._metadata == {'': dict(version=1)}


def test_a_part_of_the_model_is_no_wrapper():
    state = {'model.weight': torch.ones(1)}
    assert list(choose_weights(state, parts=('model',))[0]) == ['model.weight']
    assert list(choose_weights(state, parts=('weight',))[0]) == ['weight']


def test_what_else_a_wrapper_holds_is_left_over():
    found, notes = choose_weights({**weights(prefix='model.'), 'loss.weight': torch.ones(2)},
                                  parts=PARTS)
    assert list(found) == [*weights(), 'loss.weight']
    assert notes == ["Taken from below 'model.'."]


def test_two_networks_ask_for_a_flag():
    both = dict(model=weights(1), model_ema=weights(2))
    with pytest.raises(CheckpointError, match='several networks.*--ema or --no-ema'):
        chosen(both)
    assert [chosen(both, ema=ema) for ema in (False, True)] == [1, 2]
    pair = dict(student=weights(1), teacher=weights(2))
    with pytest.raises(CheckpointError, match='Got: student, teacher.*--weights-key student'):
        chosen(pair)
    assert chosen(pair, key='teacher') == 2
    below = {**weights(1, 'student.'), **weights(2, 'teacher.')}
    with pytest.raises(CheckpointError, match='several networks'):
        chosen(dict(state_dict=below))
    assert chosen(dict(state_dict=below), key='teacher') == 2
    with pytest.raises(CheckpointError, match="no network 'teachr'.*did you mean 'teacher'"):
        chosen(pair, key='teachr')
    averaged = {**weights(1, 'model.'), **weights(2, 'ema_model.')}
    assert [chosen(averaged, ema=ema) for ema in (False, True)] == [1, 2]


def test_a_teacher_beside_the_network_is_taken_by_its_key():
    state = {**weights(1), **weights(2, 'teacher.')}
    found, _ = choose_weights(state, parts=PARTS)
    assert found['backbone.weight'].item() == 1
    assert chosen(state, key='teacher') == 2


def test_averages_of_mmengine_are_the_weights():
    both = dict(state_dict=weights(2), ema_state_dict=dict(
        weights(1, 'module.'), steps=torch.tensor(7)))
    assert [chosen(both, ema=ema) for ema in (None, True, False)] == [2, 2, 1]
    del both['ema_state_dict']['steps']  # of another program: which is which is not said
    with pytest.raises(CheckpointError, match='several networks'):
        chosen(both)


def test_averages_of_mmcv_are_taken_by_the_flag():
    state = {**weights(1), 'ema_backbone_weight': torch.tensor([2.]),
             'ema_backbone_bias': torch.tensor([2.])}
    assert [chosen(dict(state_dict=state), ema=ema) for ema in (None, True, False)] == [1, 2, 1]
    _, notes = choose_weights(state)
    assert notes == ['It also holds a second set of weights (ema_*): --ema takes it.']


def test_averages_that_are_not_there():
    with pytest.raises(CheckpointError, match='no averaged weights'):
        chosen(dict(state_dict=weights()), ema=True)
    with pytest.raises(CheckpointError, match='averaged weights alone'):
        chosen(dict(model_ema=weights()), ema=False)
    assert chosen(dict(model_ema=weights())) == 1


def test_a_file_of_parts():
    parts = dict(backbone=dict(weight=torch.ones(1), bias=torch.ones(1)),
                 decode_head=dict(weight=torch.ones(1)))
    assert chosen(parts) == 1


@pytest.mark.parametrize(('checkpoint', 'got'), [
    (dict(epoch=1), 'the keys epoch'), (dict(state_dict=[1]), 'a state_dict that is a list'),
    (dict(state_dict={}), 'a state_dict that is a dict')])
def test_no_weights(checkpoint, got):
    with pytest.raises(CheckpointError, match=f'no weights by name.*{got}'):
        choose_weights(checkpoint, 'a.pth')
