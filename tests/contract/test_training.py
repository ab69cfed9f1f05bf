"""Parts of a training: segplug's own wrapper, and mmengine's and torch's, which many runs use."""

from contracts import every

from segplug.contract import training as contract
from segplug.registry import OPTIM_WRAPPERS

OPTIMIZERS = [dict(type='SGD', lr=0.1, momentum=0.9), dict(type='AdamW', lr=0.1)]
WRAPPERS = [dict(type='AmpOptimWrapper', dtype='bfloat16'), dict(type='OptimWrapper')]
CONSTRUCTORS = [dict(type='DefaultOptimWrapperConstructor'),
                dict(type='DefaultOptimWrapperConstructor', paramwise_cfg=dict(
                    custom_keys=dict(vector=dict(lr_mult=2.))))]
SCHEDULES = [dict(type='PolyLR', power=0.9, eta_min=1e-4, end=6, by_epoch=False),
             dict(type='LinearLR', start_factor=0.1, end=4, by_epoch=False),
             dict(type='CosineAnnealingMomentum', T_max=6, by_epoch=False),
             dict(type='OneCycleLR', eta_max=0.1, total_steps=30, by_epoch=False)]


def test_every_wrapper_of_ours_has_a_row():
    OPTIM_WRAPPERS.import_from_location()
    assert {name for name, cls in OPTIM_WRAPPERS.module_dict.items()
            if cls.__module__.startswith('segplug.')} <= {row['type'] for row in WRAPPERS}


@every([contract.OptimizerCase(row) for row in OPTIMIZERS], contract.OPTIMIZER_CHECKS)
def test_optimizers(case, check):
    check(case)


@every([contract.WrapperCase(row) for row in WRAPPERS], contract.WRAPPER_CHECKS)
def test_wrappers(case, check):
    check(case)


@every([contract.ConstructorCase(row) for row in CONSTRUCTORS], contract.CONSTRUCTOR_CHECKS)
def test_constructors(case, check):
    check(case)


@every([contract.SchedulerCase(row) for row in SCHEDULES], contract.SCHEDULER_CHECKS)
def test_schedules(case, check):
    check(case)
