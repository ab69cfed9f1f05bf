"""Every hook, sampler, visualizer and back end of segplug keeps what a third party's are asked for.
One without a row fails; mmengine's show that the checks hold for what many runs use."""

import pytest
from contracts import every

from segplug.contract import running as contract
from segplug.registry import DATA_SAMPLERS, HOOKS, VISBACKENDS, VISUALIZERS

HOOK_ROWS = {
    'CheckpointHook': dict(by_epoch=False, interval=1), 'EarlyStoppingHook': dict(monitor='mIoU'),
    'FiniteLossHook': {}, 'HeartbeatHook': {}, 'ParamSchedulerHook': {},
    'SegVisualizationHook': dict(draw=True, interval=1), 'SkippedSamplesHook': {},
    'StopHook': {}, 'ValLossHook': {},
    'EMAHook': {}, 'EmptyCacheHook': {}, 'LoggerHook': {}, 'TrackingHook': {},
}
SAMPLERS = {'DefaultSampler': {}, 'InfiniteSampler': {}}
BACKENDS = {'LocalVisBackend': {}, 'TensorboardVisBackend': {}, 'MLflowVisBackend': {},
            'WandbVisBackend': dict(init_kwargs=dict(mode='offline'))}
NEEDS = {'TensorboardVisBackend': 'tensorboard', 'MLflowVisBackend': 'mlflow',
         'WandbVisBackend': 'wandb'}


def cases(cls, rows):
    return [cls(dict(type=name, **settings)) for name, settings in rows.items()]


@pytest.mark.parametrize(('registry', 'rows'), [
    (HOOKS, HOOK_ROWS), (DATA_SAMPLERS, SAMPLERS), (VISBACKENDS, BACKENDS),
    (VISUALIZERS, ['SegLocalVisualizer'])], ids=lambda value: getattr(value, 'name', ''))
def test_everything_of_ours_has_a_row(registry, rows):
    registry.import_from_location()
    assert {name for name, cls in registry.module_dict.items()
            if cls.__module__.startswith('segplug.')} <= set(rows)


@every(cases(contract.HookCase, HOOK_ROWS), contract.HOOK_CHECKS)
def test_hooks(case, check):
    check(case)


@every(cases(contract.SamplerCase, SAMPLERS), contract.SAMPLER_CHECKS)
def test_samplers(case, check):
    check(case)


@every(cases(contract.VisualizerCase, {'SegLocalVisualizer': {}}), contract.VISUALIZER_CHECKS)
def test_visualizers(case, check):
    check(case)


@every(cases(contract.BackendCase, BACKENDS), contract.BACKEND_CHECKS)
def test_back_ends(case, check, tmp_path, monkeypatch):
    if case.name in NEEDS:
        pytest.importorskip(NEEDS[case.name], reason=f'{NEEDS[case.name]} is an extra')
    monkeypatch.chdir(tmp_path)
    check(case)
    assert list(tmp_path.iterdir()) == [], 'nothing stays where the check was begun'
