import itertools
import math

import pytest
from engine_toy import toy_cfg

from segplug.engine.hooks.val_loss_hook import ValLossHook, means
from segplug.engine.runner import Runner


def test_the_mean_is_over_images():
    rows = [(0, {'loss': 1., 'decode.loss_ce': 0.75}), (1, {'loss': 2., 'decode.loss_ce': 1.25})]
    # (1 + 2) / 2 and (0.75 + 1.25) / 2.
    assert means(rows) == {'loss': 1.5, 'decode.loss_ce': 1.}


def test_an_image_that_comes_twice_counts_once_and_one_without_a_label_not_at_all():
    rows = [(0, {'loss': 1.}), (1, {'loss': 4.}), (0, {'loss': 1.}), (2, {})]
    assert means(rows) == {'loss': 2.5}
    assert means([(-1, {'loss': 1.}), (-1, {'loss': 3.})]) == {'loss': 2.}, 'no index is known'
    assert math.isnan(means([(0, {}), (1, {})])['loss'])
    assert means([]) == {}


def test_the_order_in_which_processes_saw_the_images_does_not_show():
    values = [0.1, 0.7, 1e16, -1e16, 1e-9]
    found = {means([(i, {'loss': values[i]}) for i in order])['loss']
             for order in itertools.permutations(range(5))}
    assert found == {math.fsum(values) / 5}


def test_the_last_validations_losses_are_forgotten(tmp_path):
    runner = Runner.from_cfg(toy_cfg(tmp_path))
    for name in ('val/val/loss', 'val/mean', 'train/loss'):
        runner.message_hub.update_scalar(name, 1.)
    ValLossHook().before_val_epoch(runner)
    assert list(runner.message_hub.log_scalars) == ['val/mean', 'train/loss']


@pytest.mark.parametrize('on', [True, False])
def test_it_is_a_default_hook_that_can_be_left_out(tmp_path, on):
    runner = Runner.from_cfg(toy_cfg(tmp_path, **({} if on else {'default_hooks.val_loss': None})))
    assert any(isinstance(hook, ValLossHook) for hook in runner.hooks) is on


def test_a_model_that_knows_no_such_losses_is_validated_as_before(tmp_path):
    metrics = Runner.from_cfg(toy_cfg(tmp_path)).val()
    assert set(metrics) == {'mean', 'count', 'threads'}
