"""Weights into a model: what must fit, what is told, what is asked."""

import pytest
import torch
from engine_toy import toy_cfg
from torch import nn

from segplug.engine.loading import LoadCfg, load_state_dict
from segplug.engine.runner import Runner
from segplug.errors import CheckpointError, ConfigError


def net(classes=3):
    torch.manual_seed(0)
    return nn.ModuleDict(dict(backbone=nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
                              decode_head=nn.ModuleDict(dict(conv_seg=nn.Conv2d(4, classes, 1)))))


def others(prefix='', **parts) -> dict:
    """A state dict of ones under other names: ``backbone='encoder'``."""
    return {prefix + '.'.join([parts.get(first := name.split('.')[0], first),
                               *name.split('.')[1:]]): torch.ones_like(value)
            for name, value in net().state_dict().items()}


def is_ones(model) -> bool:
    return all(bool((value == 1).all()) for value in model.state_dict().values())


def test_a_checkpoint_of_another_model_changes_nothing():
    model = net()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = {k: torch.zeros_like(v) for k, v in before.items() if k.startswith('decode_head')}
    with pytest.raises(CheckpointError, match=r'a\.pth is a .* of another model: 2 of') as e:
        load_state_dict(model, state, 'a.pth')  # 15 of 143 < 0.5
    assert '15 of 143 parameters (10.5 %)' in str(e.value)
    assert '--min-loaded 0.104' in e.value.fix
    assert all(torch.equal(model.state_dict()[k], v) for k, v in before.items())
    load_state_dict(model, state, 'a.pth', floor=0.104)
    assert model['decode_head']['conv_seg'].weight.abs().sum() == 0
    with pytest.raises(CheckpointError, match='another model: 0 of'):
        load_state_dict(model, {'x': torch.ones(1)}, 'a.pth', floor=0.0)


def test_the_floor_of_the_config_comes_first():
    state = {'decode_head.conv_seg.bias': torch.ones(3)}
    coverage = load_state_dict(net(), state, 'a.pth', 1.0, cfg=LoadCfg(floor=0.0))
    assert len(coverage.matched) == 1
    with pytest.raises(CheckpointError, match='Expected: at least 90 % of the parameters'):
        load_state_dict(net(), state, 'a.pth', 0.0, cfg=LoadCfg(floor=0.9))


def test_a_test_asks_for_all_it_computes_with():
    model = net()
    model['auxiliary_head'] = nn.Conv2d(4, 3, 1)
    state = net().state_dict()
    coverage = load_state_dict(model, state, 'a.pth', 1.0, same_classes=True)
    assert coverage.missing == ['auxiliary_head.weight', 'auxiliary_head.bias']
    assert coverage.share == 1
    del state['backbone.1.running_var']
    with pytest.raises(CheckpointError, match='lacks weights.*every weight that a test computes'):
        load_state_dict(model, state, 'a.pth', 1.0, same_classes=True)


def test_class_count():
    model, state = net(3), net(19).state_dict()
    with pytest.raises(CheckpointError, match='trained for 19 classes, the config has 3'):
        load_state_dict(model, state, 'a.pth', same_classes=True)
    before = model['decode_head']['conv_seg'].weight.clone()
    coverage = load_state_dict(model, state, 'a.pth')
    assert len(coverage.mismatched) == 2
    assert torch.equal(model['decode_head']['conv_seg'].weight, before)


def test_the_nearest_names_are_told_and_the_renaming_works():
    model, state = net(), others(backbone='encoder')
    with pytest.raises(CheckpointError) as error:
        load_state_dict(model, state, 'a.pth')
    # conv 2, norm 4 and its counter
    told = "7 names encoder.* of the file look like backbone.* of the model: load_cfg=dict("
    assert told + r"revise_keys=[(r'^encoder\.', 'backbone.')])" in error.value.fix
    load_state_dict(model, state, 'a.pth', 1.0,
                    cfg=LoadCfg(revise_keys=[(r'^encoder\.', 'backbone.')]))
    assert is_ones(model)


def test_strict_is_both_ways():
    state = {**others(), 'more.weight': torch.ones(1)}
    with pytest.raises(CheckpointError, match=r'same names; in the file alone: more\.weight'):
        load_state_dict(net(), state, 'a.pth', 0.0, cfg=LoadCfg(strict=True))
    del state['more.weight'], state['backbone.0.bias']
    with pytest.raises(CheckpointError, match=r'not in the file: backbone\.0\.bias'):
        load_state_dict(net(), state, 'a.pth', 0.0, cfg=LoadCfg(strict=True))
    load_state_dict(net(), others(), 'a.pth', 0.0, cfg=LoadCfg(strict=True))


def test_a_hook_may_change_what_is_laid_in():
    model, checkpoint = net(), dict(state_dict=others('module.'))
    seen = []

    def found(held):
        seen.extend(held['state_dict'])
        held['state_dict'] = {name: 2 * value for name, value in held['state_dict'].items()}

    load_state_dict(model, checkpoint, 'a.pth', found=found)
    assert seen == list(net().state_dict())
    assert model['backbone'][0].weight.eq(2).all()


@pytest.mark.parametrize(('cfg', 'told'), [
    (dict(flor=0.5), "no key 'flor'.*did you mean 'floor'"), (dict(floor=50), 'a share, 0 to 1'),
    (dict(floor=True), 'a share'), (dict(strict='no'), 'True or False'),
    (dict(ema='yes'), 'True, False or None'), (dict(key=3), 'a name'),
    (dict(key_map='pidnt'), 'pidnet'), (dict(revise_keys=['a']), 'pairs such as'),
    (dict(revise_keys=[('(', '')]), 'pairs such as')])
def test_wrong_settings(cfg, told):
    with pytest.raises(ConfigError, match=told):
        LoadCfg.from_dict(cfg)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    Runner.from_cfg(toy_cfg(folder, **{'train_cfg.max_iters': 2})).train()
    return torch.load(folder / 'iter_2.pth', weights_only=True)['state_dict']


@pytest.mark.parametrize('hooks', [[], [dict(type='EMAHook')]])
def test_a_run_reads_as_load_cfg_says(trained, tmp_path, hooks):
    """Also with an EMAHook, which takes its averages from what was found in the file."""
    ones = {f'module.net_{name}': torch.ones_like(value) for name, value in trained.items()}
    torch.save(dict(student=trained, teacher=ones), tmp_path / 'a.pth')
    options = dict(load_from=str(tmp_path / 'a.pth'), custom_hooks=hooks)
    with pytest.raises(CheckpointError, match='several networks'):
        Runner.from_cfg(toy_cfg(tmp_path / 'b', **options)).test()
    runner = Runner.from_cfg(toy_cfg(tmp_path / 'c', **options, load_cfg=dict(
        key='teacher', revise_keys=[('^net_', '')])))
    runner.test()
    assert is_ones(runner.model)
    averages = [hook.ema_model for hook in runner.hooks if hasattr(hook, 'ema_model')]
    assert len(averages) == len(hooks)
    assert all(is_ones(average.module) for average in averages)


def test_a_training_starts_from_a_quarter(trained, tmp_path):
    def run(name, **load_cfg):
        state = {name: trained[name]}
        torch.save(dict(state_dict=state), tmp_path / 'a.pth')
        runner = Runner.from_cfg(toy_cfg(tmp_path / 'w', load_cfg=load_cfg, **{
            'train_cfg.max_iters': 1}, load_from=str(tmp_path / 'a.pth')))
        runner.train()

    run('backbone.weight')  # 108 of 133
    with pytest.raises(CheckpointError, match='Expected: at least 25 % of the parameters'):
        run('backbone.bias')
    run('backbone.bias', floor=0.0)
    with pytest.raises(ConfigError, match="no key 'flor'"):
        run('backbone.bias', flor=0.0)
