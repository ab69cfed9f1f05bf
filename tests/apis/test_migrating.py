"""Configs as people write them, before and after; the rules one by one are in migration/."""

import os
import sys
import textwrap

import pytest
from mmengine.config import Config

from segplug.apis.config import load_config
from segplug.apis.migrating import migrate
from segplug.errors import ConfigError

NEW = '''
    # My own   layout.
    _base_ = ['mmseg::_base_/models/fcn_r50-d8.py',
              '../_base_/schedules/schedule_20k.py', './data.py']
    default_scope = "mmseg"  # as everywhere
    model = dict(decode_head=dict(num_classes=2, type='mmseg.FCNHead'),
                 auxiliary_head=dict(num_classes=2))
'''
DATA = '''
    crop_size = (64, 64)
    train_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                      dict(type='RandomCrop', crop_size=crop_size),
                      dict(type='PackSegInputs')]
    train_dataloader = dict(
        batch_size=2, num_workers=2, sampler=dict(type='InfiniteSampler', shuffle=True),
        dataset=dict(type='BaseSegDataset', data_root='data', pipeline=train_pipeline,
                     metainfo=dict(classes=('a', 'b')),
                     data_prefix=dict(img_path='images', seg_map_path='labels')))
'''
OLD = '''
    _base_ = './base.py'
    # numbers of ours
    img_norm_cfg = dict(
        mean=[1., 2., 3.], std=[4., 5., 6.], to_rgb=False)
    crop_size = (32, 48)
    train_pipeline = [
        dict(type='LoadImageFromFile', to_float32=True),
        dict(type='LoadAnnotations', reduce_zero_label=True),
        dict(type='Resize', img_scale=(64, 96), ratio_range=(0.5, 2.0)),
        dict(type='RandomFlip', flip_ratio=0.5),
        dict(type='Normalize', **img_norm_cfg),
        dict(type='Pad', size=crop_size, pad_val=0, seg_pad_val=7),
        dict(type='DefaultFormatBundle'),
        dict(type='Collect', keys=['img', 'gt_semantic_seg'])]
    test_pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='MultiScaleFlipAug', img_scale=(64, 96), img_ratios=[0.5, 1.0], flip=True,
             transforms=[
                 dict(type='Resize', keep_ratio=True), dict(type='RandomFlip'),
                 dict(type='Normalize', **img_norm_cfg),
                 dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]
    data = dict(
        samples_per_gpu=3,
        workers_per_gpu=1,
        train=dict(
            type='CustomDataset', data_root='data', img_dir='images', ann_dir='labels',
            classes=('a', 'b'), split='train.txt', pipeline=train_pipeline),
        val=dict(
            type='CustomDataset', data_root='data', img_dir='images', ann_dir='labels',
            classes=('a', 'b'), pipeline=test_pipeline))
    optimizer = dict(type='AdamW', lr=0.1, paramwise_cfg=dict(custom_keys={
        'head': dict(lr_mult=10.)}))
    optimizer_config = dict(grad_clip=dict(max_norm=1, norm_type=2))
    lr_config = dict(policy='poly', warmup='linear', warmup_iters=10, warmup_ratio=1e-6,
                     power=1.0, min_lr=0.0, by_epoch=False)
    runner = dict(type='IterBasedRunner', max_iters=200)
    checkpoint_config = dict(by_epoch=False, interval=20)
    evaluation = dict(interval=20, metric=['mIoU', 'mDice'], save_best='mIoU')
'''
OLD_BASE = '''
    log_config = dict(interval=7, hooks=[dict(type='TextLoggerHook')])
    dist_params = dict(backend='gloo')
    workflow = [('train', 1)]
    model = dict(
        type='EncoderDecoder',
        backbone=dict(type='ResNet', depth=18, out_indices=(0, 1, 2, 3)),
        decode_head=dict(type='FCNHead', in_channels=512, in_index=3, channels=8, num_convs=1,
                         num_classes=2, loss_decode=dict(type='CrossEntropyLoss')))
    train_cfg = dict()
    test_cfg = dict(mode='whole')
'''


@pytest.fixture
def tree(tmp_path):
    """Write files below ``configs/mine``; returns the path of config.py."""
    def _tree(**files):
        folder = tmp_path / 'configs' / 'mine'
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f'{name}.py').write_text(textwrap.dedent(text).lstrip('\n'))
        return folder / 'config.py'
    return _tree


def migrated(config, out) -> Config:
    """What the config says when it is migrated; migrating it again changes nothing."""
    found = migrate(config)
    assert found.findings == []
    new, *_ = found.write_to(out)
    again = migrate(new)
    assert (again.changed, again.findings) == ([], [])
    return load_config(new)


def test_a_config_of_1x_keeps_its_layout(tree, tmp_path):
    config = tree(config=NEW, data=DATA)
    migration = migrate(config)
    assert migration.findings == []
    source, = migration.changed
    assert source.new_text == textwrap.dedent(NEW).lstrip('\n').replace(
        'mmseg::_base_', 'segplug::_base_').replace(
        "'../_base_", "'segplug::_base_").replace('"mmseg"', '"segplug"').replace(
        'mmseg.FCNHead', 'FCNHead')
    assert migration.is_needed
    cfg = migrated(config, tmp_path / 'out')
    assert cfg.train_cfg.max_iters == 20000


def test_only_the_scope_is_no_need(tree):
    config = tree(config="default_scope = 'mmseg'\nlog_level = 'INFO'\n")
    migration = migrate(config)
    assert not migration.is_needed
    assert [source.new_text for source in migration.changed] == [
        "default_scope = 'segplug'\nlog_level = 'INFO'\n"]


def test_a_shipped_config_runs_as_it_is():
    migration = migrate('unet/unet_r18_minicity.py')
    assert (migration.changed, migration.findings) == ([], [])


def test_a_config_of_0x(tree, tmp_path):
    config = tree(config=OLD, base=OLD_BASE)
    assert migrate(config).is_old
    cfg = migrated(config, tmp_path / 'out')
    assert cfg.data_preprocessor == dict(
        type='SegDataPreProcessor', mean=[1., 2., 3.], std=[4., 5., 6.], bgr_to_rgb=False,
        size=(32, 48), pad_val=0, seg_pad_val=7)
    train = cfg.train_dataloader
    assert (train.batch_size, train.num_workers, cfg.val_dataloader.batch_size) == (3, 1, 1)
    assert train.sampler.type == 'InfiniteSampler'
    assert {key: train.dataset[key] for key in train.dataset if key != 'pipeline'} == dict(
        type='BaseSegDataset', data_root='data', ann_file='train.txt',
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        metainfo=dict(classes=('a', 'b')))
    assert train.dataset.pipeline == [
        dict(type='LoadImageFromFile', to_float32=True),
        dict(type='LoadAnnotations', reduce_zero_label=True),
        dict(type='RandomResize', scale=(64, 96), ratio_range=(0.5, 2.0), keep_ratio=True),
        dict(type='RandomFlip', prob=0.5), dict(type='PackSegInputs')]
    assert cfg.val_dataloader.dataset.pipeline == [
        dict(type='LoadImageFromFile'), dict(type='Resize', scale=(64, 96), keep_ratio=True),
        dict(type='LoadAnnotations', reduce_zero_label=True), dict(type='PackSegInputs')]
    assert cfg.aug_test_cfg == dict(scales=[0.5, 1.0], flip=True)
    assert cfg.optim_wrapper == dict(
        type='OptimWrapper', optimizer=dict(type='AdamW', lr=0.1),
        paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.)}),
        clip_grad=dict(max_norm=1, norm_type=2))
    assert cfg.param_scheduler == [
        dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=10),
        dict(type='PolyLR', eta_min=0.0, power=1.0, begin=10, by_epoch=False)]
    assert cfg.train_cfg == dict(type='IterBasedTrainLoop', max_iters=200, val_interval=20)
    assert cfg.val_evaluator == dict(type='IoUMetric', iou_metrics=['mIoU', 'mDice'])
    assert cfg.default_hooks == dict(
        logger=dict(type='LoggerHook', interval=7, log_metric_by_epoch=False),
        checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=20, save_best='mIoU'))
    assert cfg.env_cfg == dict(dist_cfg=dict(backend='gloo'))
    assert cfg.model.test_cfg == dict(mode='whole')
    assert not {'data', 'optimizer', 'lr_config', 'runner', 'workflow', 'img_norm_cfg',
                'evaluation', 'log_config', 'dist_params'} & set(cfg)


def test_comments_and_other_lines_of_0x_stay(tree):
    source = migrate(tree(config=OLD, base=OLD_BASE)).changed[0]
    assert source.new_text.startswith("_base_ = './base.py'\n# numbers of ours\ncrop_size = ")


def test_an_old_config_whose_bases_are_not_there_takes_the_shipped_ones(tree, tmp_path):
    config = tree(config='''
        _base_ = ['../_base_/models/pspnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
                  '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py']
        model = dict(decode_head=dict(num_classes=19), auxiliary_head=dict(num_classes=19))
        data = dict(samples_per_gpu=5)
        optimizer = dict(lr=0.02)
        lr_config = dict(min_lr=2e-4)
        evaluation = dict(metric='mDice')
        ''')
    cfg = migrated(config, tmp_path / 'out')
    assert cfg.train_dataloader.batch_size == 5
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.02, momentum=0.9,
                                               weight_decay=5e-4)
    assert cfg.param_scheduler == [dict(type='PolyLR', eta_min=2e-4, power=0.9, by_epoch=False)]
    assert cfg.val_evaluator.iou_metrics == ['mDice']
    assert cfg.model.data_preprocessor.size == (512, 1024)


def test_a_shipped_model_is_told_how_this_config_prepares_images(tree, tmp_path):
    """Its statement stands behind the pipelines here; there is no set to validate with."""
    config = tree(config='''
        _base_ = ['../_base_/models/fcn_r50-d8.py', '../_base_/schedules/schedule_20k.py']
        train_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                          dict(type='Normalize', mean=[1.], std=[2.], to_rgb=False),
                          dict(type='Collect', keys=['img', 'gt_semantic_seg'])]
        data = dict(samples_per_gpu=2, train=dict(
            type='ADE20KDataset', img_dir='i', ann_dir='l', pipeline=train_pipeline))
        model = dict(decode_head=dict(num_classes=150),
                     auxiliary_head=dict(num_classes=150))
        gpu_ids = [0]; log_level = 'INFO'
        ''')
    cfg = migrated(config, tmp_path / 'out')
    assert (cfg.model.data_preprocessor.mean, cfg.model.data_preprocessor.std) == ([1.], [2.])
    assert cfg.log_level == 'INFO'
    assert not {'val_dataloader', 'val_evaluator', 'gpu_ids'} & set(cfg)


def test_a_base_that_is_migrated_already_keeps_its_children(tree, tmp_path):
    """The second config of a folder: its bases speak as today, it and its nearer base do not."""
    config = tree(
        config="_base_ = './near.py'\ndata = dict(samples_per_gpu=7)\n",
        near="_base_ = ['./far.py', './other.py']\noptimizer = dict(lr=0.5)\n"
             "lr_config = dict(min_lr=0.1)\n",
        far="""
            optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
            param_scheduler = [dict(type='PolyLR', power=0.9, by_epoch=False)]
            train_dataloader = dict(batch_size=2)
            default_hooks = dict(logger=dict(type='LoggerHook', interval=3))
            """,
        other="checkpoint_config = dict(by_epoch=False, interval=9)\nlog_level = 'INFO'\n")
    cfg = migrated(config, tmp_path / 'out')
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.5)
    assert cfg.param_scheduler == [dict(type='PolyLR', eta_min=0.1, power=0.9, by_epoch=False)]
    assert cfg.train_dataloader.batch_size == 7
    # far.py has them, so that other.py beside it may not.
    assert cfg.default_hooks == dict(logger=dict(type='LoggerHook', interval=3))


def test_several_folders_become_joined_data_sets(tree, tmp_path):
    config = tree(config='''
        _base_ = './voc.py'
        data = dict(train=dict(ann_dir=['l', 'l2'], split=['a.txt', 'b.txt']))
        ''', voc='''
        data = dict(samples_per_gpu=1, train=dict(
            type='PascalVOCDataset', img_dir='i', ann_dir='l', split='a.txt', pipeline=[]))
        ''')
    joined = migrated(config, tmp_path / 'out').train_dataloader.dataset
    assert joined.type == 'ConcatDataset'
    assert [(d.type, d.ann_file, d.data_prefix) for d in joined.datasets] == [
        ('PascalVOCDataset', 'a.txt', dict(img_path='i', seg_map_path='l')),
        ('PascalVOCDataset', 'b.txt', dict(img_path='i', seg_map_path='l2'))]


def test_what_is_not_here_is_named_with_its_line(tree):
    config = tree(config='''
        # one line more, so that lines of the new text differ
        optimizer_config = dict()
        model = dict(
            type='EncoderDecoder',
            backbone=dict(type='SwinTransformer', embed_dims=96),
            decode_head=dict(type='FCNHead', in_channels=8, channels=8, num_class=2,
                             droput_ratio=0.))
        ''')
    found = migrate(config).findings
    assert [(finding.where, finding.what.partition('.')[0]) for finding in found] == [
        (f'{config}:5', "'SwinTransformer' is not a known model"),
        (f'{config}:6', "FCNHead has no argument 'num_class'"),
        (f'{config}:7', "FCNHead has no argument 'droput_ratio'")]


def test_a_base_that_is_nowhere_is_named(tree):
    config = tree(config="_base_ = ['../_base_/models/fnc_r50-d8.py']\n")
    finding, = migrate(config).findings
    assert finding.where == f'{config}:1'
    assert "did you mean 'segplug::_base_/models/fcn_r50-d8.py'" in finding.what


def test_a_schedule_without_a_rule_is_left_to_a_person(tree):
    config = tree(config="lr_config = dict(policy='cyclic', by_epoch=False)\n")
    migration = migrate(config)
    assert "policy 'cyclic'" in migration.findings[0].what
    assert migration.findings[0].where == f'{config}:1'


def test_a_misspelt_key_becomes_a_comment(tree):
    config = tree(config="models = dict(\n    a=1)\nlog_level = 'INFO'\n")
    source, = migrate(config).changed
    assert source.new_text == "# models = dict(\n#     a=1)\nlog_level = 'INFO'\n"


def test_what_mmengine_passes_over_goes(tree, tmp_path):
    config = tree(config='''
        env_cfg = dict(
            cudnn_benchmark=True,  # quick
            cudnn_deterministic=False)
        x = [dict(type='LoadImageFromFile', file_client_args=dict(backend='disk')),
             dict(type='LoadAnnotations', file_client_args=dict(backend='petrel'))]
        y = dict(custom_keys=dict(theta=dict(wd_mult=0.), phi=dict(lr_mult=2., wd_mult=0.)))
        ''')
    source, = migrate(config).changed
    assert source.new_text == textwrap.dedent('''\
        env_cfg = dict(
            cudnn_benchmark=True,  # quick
            )
        x = [dict(type='LoadImageFromFile'),
             dict(type='LoadAnnotations', backend_args=dict(backend='petrel'))]
        y = dict(custom_keys=dict(theta=dict(), phi=dict(lr_mult=2.)))
        ''')


def test_unusual_scales_of_a_tta_pipeline(tree):
    config = tree(config='''
        tta_pipeline = [dict(type='TestTimeAug', transforms=[
            [dict(type='Resize', scale_factor=r) for r in [0.5, 2.0]],
            [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
            [dict(type='PackSegInputs')]])]
        ''')
    source, = migrate(config).changed
    assert source.new_text.endswith('aug_test_cfg = dict(scales=[0.5, 2.0], flip=True)\n')


def test_imports_of_mmseg_get_its_names(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'heads_of_mine.py').write_text('from mmseg.registry import MODELS\n')
    (tmp_path / 'plain_things.py').write_text('X = 1\n')
    config = tree(config='''
        custom_imports = dict(imports=['plain_things', 'heads_of_mine'],
                              allow_failed_imports=False)
        ''')
    try:
        source, = migrate(config).changed
        assert "imports=['segplug.compat.mmseg', 'plain_things', 'heads_of_mine']" \
            in source.new_text
    finally:
        sys.modules['segplug.compat.mmseg'].remove()
        for name in ('heads_of_mine', 'plain_things'):
            sys.modules.pop(name, None)


def test_without_its_names_the_error_says_who_lends_them(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'heads_of_another.py').write_text('from mmseg.registry import MODELS\n')
    config = tree(config="custom_imports = dict(imports=['heads_of_another'])\n")
    with pytest.raises(ConfigError, match='segplug migrate CONFIG') as caught:
        load_config(config)
    assert "imports=['segplug.compat.mmseg', ...]" in caught.value.fix


def test_writing_keeps_what_was(tree):
    config = tree(config="default_scope = 'mmseg'\n")
    written = migrate(config).write()
    assert [(path.name, backup.name) for path, backup in written] == [('config.py',
                                                                      'config.py.bak')]
    assert config.with_name('config.py.bak').read_text() == "default_scope = 'mmseg'\n"
    config.write_text("default_scope = 'mmseg'\n")
    assert migrate(config).write()[0][1].name == 'config.py.bak2'


def test_one_file_is_not_enough_for_bases(tree, tmp_path):
    migration = migrate(tree(config="_base_ = './base.py'\n", base="log_level = 'INFO'\n"))
    with pytest.raises(ConfigError, match='is one file, and the config has bases'):
        migration.write_to(tmp_path / 'one.py')


def test_bases_elsewhere_are_read_and_not_changed(tree, tmp_path):
    (tmp_path / 'other.py').write_text("default_scope = 'mmseg'\n")
    base = os.path.relpath(tmp_path / 'other.py', tree().parent)
    migration = migrate(tree(config=f'_base_ = {base!r}\n'))
    assert (migration.changed, migration.findings) == ([], [])


def test_the_other_style_of_configs_is_told_apart(tree):
    finding, = migrate(tree(config='''
        from mmengine.config import read_base
        with read_base():
            from .base import *
        ''')).findings
    assert 'python -m segplug.compat.mmseg' in finding.what


@pytest.mark.parametrize('name', ['config.yaml', 'config.json'])
def test_data_has_no_text_to_edit(tmp_path, name):
    (tmp_path / name).write_text('{}')
    with pytest.raises(ConfigError, match='no Python file'):
        migrate(tmp_path / name)
