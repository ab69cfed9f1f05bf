"""``--track``: what it adds to a config, and what it leaves."""

import pytest
from mmengine.config import Config

from segplug.apis.config import load_config
from segplug.apis.tracking import PICTURES, use_tracking
from segplug.cli.main import main
from segplug.errors import ConfigError


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr('segplug.visualization.backends.check_installed', lambda kind: None)


def kinds(cfg):
    return [backend['type'] for backend in cfg.visualizer.vis_backends]


def test_back_ends_are_added_to_those_there_are_and_pictures_drawn():
    cfg = load_config('unet/unet_r18_minicity.py')
    use_tracking(cfg, ['wandb', 'tensorboard', 'wandb'])
    assert kinds(cfg) == ['LocalVisBackend', 'TensorboardVisBackend', 'WandbVisBackend']
    assert cfg.default_hooks.visualization == dict(type='SegVisualizationHook', **PICTURES)
    assert cfg.default_hooks.logger.interval == 50


def test_a_config_without_any():
    cfg = Config(dict())
    use_tracking(cfg, ['mlflow'])
    assert kinds(cfg) == ['LocalVisBackend', 'MLflowVisBackend']
    assert cfg.visualizer.type == 'SegLocalVisualizer'


def test_what_a_config_draws_and_its_own_settings_stay():
    own = dict(type='WandbVisBackend', init_kwargs=dict(project='mine'))
    hook = dict(type='SegVisualizationHook', draw=True, interval=7)
    cfg = Config(dict(visualizer=dict(type='V', vis_backends=own),
                      default_hooks=dict(visualization=hook)))
    use_tracking(cfg, ['wandb'])
    assert cfg.visualizer.vis_backends == [own]
    assert cfg.default_hooks.visualization == hook


def test_what_nobody_knows_or_has(monkeypatch, capsys):
    assert main(['train', 'unet/unet_r18_minicity.py', '--track', 'wandd']) == 1
    assert "--track does not know 'wandd'" in capsys.readouterr().err

    def check(kind):
        raise ConfigError(f'{kind} needs x.', fix='pip install x, or take it out')

    monkeypatch.setattr('segplug.visualization.backends.check_installed', check)
    with pytest.raises(ConfigError, match='--track wandb.*pip install x') as caught:
        use_tracking(Config(dict()), ['wandb'])
    assert 'take it out' not in str(caught.value)
