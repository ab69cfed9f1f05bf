import pytest
from mmengine.config import Config

from segplug.apis.migration.old_schedule import rewrite


def rewritten(source, taken: set = frozenset()) -> dict:
    resolved = Config.fromfile(source.path).to_dict()
    rewrite(source, resolved, resolved, taken)
    source.path.write_text(source.new_text)
    return Config.fromfile(source.path).to_dict()


@pytest.mark.parametrize(('old', 'new'), [
    ("dict(policy='poly', power=0.9, min_lr=1e-4, by_epoch=False)",
     [dict(type='PolyLR', eta_min=1e-4, power=0.9, by_epoch=False)]),
    ("dict(policy='CosineAnnealing', min_lr_ratio=0.1, by_epoch=False, warmup='constant', "
     'warmup_iters=5, warmup_ratio=0.2)',
     [dict(type='ConstantLR', factor=0.2, by_epoch=False, begin=0, end=5),
      dict(type='CosineAnnealingLR', eta_min_ratio=0.1, begin=5, by_epoch=False)]),
    ("dict(policy='step', step=[8, 11])",
     [dict(type='MultiStepLR', milestones=[8, 11], gamma=0.1, by_epoch=True)]),
    ("dict(policy='step', step=3, gamma=0.5)",
     [dict(type='StepLR', step_size=3, gamma=0.5, by_epoch=True)]),
    ("dict(policy='exp', gamma=0.9)", [dict(type='ExponentialLR', gamma=0.9, by_epoch=True)]),
    ("dict(policy='fixed', warmup=None)", [dict(type='ConstantLR', factor=1., by_epoch=True)])])
def test_policies(source, old, new):
    assert rewritten(source(f'lr_config = {old}\n')) == dict(param_scheduler=new)


@pytest.mark.parametrize(('old', 'new'), [
    ("optimizer = dict(type='SGD', lr=1)\noptimizer_config = dict()",
     dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1))),
    ("optimizer_config = dict(type='Fp16OptimizerHook', loss_scale=512.)",
     dict(type='AmpOptimWrapper', loss_scale=512.)),
    ("optimizer = dict(type='SGD')\nfp16 = dict(loss_scale='dynamic')",
     dict(type='AmpOptimWrapper', optimizer=dict(type='SGD'), loss_scale='dynamic')),
    ("optimizer = dict(type='SGD')\noptimizer_config = dict("
     "type='GradientCumulativeOptimizerHook', cumulative_iters=4)",
     dict(type='OptimWrapper', optimizer=dict(type='SGD'), accumulative_counts=4)),
    ("optimizer = dict(constructor='LearningRateDecayOptimizerConstructor', type='AdamW', "
     'paramwise_cfg=dict(decay_rate=0.9))',
     dict(type='OptimWrapper', optimizer=dict(type='AdamW'),
          constructor='LearningRateDecayOptimizerConstructor',
          paramwise_cfg=dict(decay_rate=0.9)))])
def test_optimizers(source, old, new):
    assert rewritten(source(f'{old}\n')) == dict(optim_wrapper=new)


def test_epochs(source):
    found = rewritten(source('''
        total_epochs = 12
        checkpoint_config = dict(interval=1)
        evaluation = dict(interval=2)
        '''))
    assert found['train_cfg'] == dict(type='EpochBasedTrainLoop', max_epochs=12, val_interval=2)
    assert found['val_evaluator'] == dict(type='IoUMetric', iou_metrics=['mIoU'])
    assert 'log_processor' not in found


def test_the_process(source):
    found = rewritten(source('''
        dist_params = dict(backend='nccl')
        cudnn_benchmark = True
        mp_start_method = 'fork'
        seed = 3
        resume_from = 'a.pth'
        gpu_ids = range(2)
        '''))
    assert found == dict(
        env_cfg=dict(cudnn_benchmark=True, dist_cfg=dict(backend='nccl'),
                     mp_cfg=dict(mp_start_method='fork')),
        randomness=dict(seed=3), load_from='a.pth', resume=True)


def test_a_name_that_a_base_beside_sets_is_left_to_it(source):
    found = source("log_config = dict(interval=5)\nlog_level = 'INFO'\n")
    assert rewritten(found, {'default_hooks'}) == dict(log_level='INFO')


def test_a_variable_of_that_name_is_none_of_them(source):
    text = 'total_iters = 5\ntrain_cfg = dict(max_iters=total_iters)\n'
    found = source(text)
    rewrite(found, {}, {}, set())
    assert found.new_text == text
