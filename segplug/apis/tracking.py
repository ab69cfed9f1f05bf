"""``--track``: the back ends of the visualizer by one word, with pictures of the validation."""

from collections.abc import Sequence

from mmengine.config import Config

from ..errors import ConfigError, did_you_mean

# word -> back end
BACKENDS = {
    'tensorboard': 'TensorboardVisBackend', 'wandb': 'WandbVisBackend',
    'mlflow': 'MLflowVisBackend', 'clearml': 'ClearMLVisBackend', 'neptune': 'NeptuneVisBackend',
    'dvclive': 'DVCLiveVisBackend', 'aim': 'AimVisBackend'}
# Pictures of each validation.
PICTURES = dict(draw=True, num_pictures=4, with_image=True, max_side=512)


def use_tracking(cfg: Config, names: Sequence[str]) -> None:
    """Add back ends to the visualizer of a config, where it has none of the kind, and pictures,
    where it draws none.

    Raises:
        ConfigError: There is no such back end, or it is not installed.
    """
    for name in names:
        if name not in BACKENDS:
            raise ConfigError(f'--track does not know {name!r}.', expected=', '.join(BACKENDS),
                              fix=did_you_mean(name, BACKENDS))
        try:
            from ..visualization.backends import check_installed
            check_installed(BACKENDS[name])
        except ConfigError as error:
            error.fix, error.where = f'{error.fix.partition(", or")[0]}', f'--track {name}'
            raise
    visualizer = dict(cfg.get('visualizer') or dict(type='SegLocalVisualizer'))
    backends = visualizer.get('vis_backends') or [dict(type='LocalVisBackend')]
    backends = [backends] if isinstance(backends, dict) else list(backends)
    known = {str(one.get('type')).rpartition('.')[2] for one in backends}
    visualizer['vis_backends'] = backends + [
        dict(type=BACKENDS[name]) for name in dict.fromkeys(names) if BACKENDS[name] not in known]
    cfg.visualizer = visualizer
    hooks = dict(cfg.get('default_hooks') or {})
    hook = dict(hooks.get('visualization') or dict(type='SegVisualizationHook'))
    if hook['type'] == 'SegVisualizationHook' and not hook.get('draw'):
        hooks['visualization'] = {**hook, **PICTURES}
        cfg.default_hooks = hooks
