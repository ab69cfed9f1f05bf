# 1,000 iterations of AdamW on one cycle of the learning rate, batch 8 in all: small data sets, from
# random weights. A leaf that needs longer sets train_cfg.max_iters; the cycle follows it.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-2))
# From eta_max / 25 up to eta_max in the first 20 % of the run, then down to nearly nothing.
param_scheduler = [dict(type='OneCycleLR', eta_max=2e-3, pct_start=0.2, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1000, val_interval=500)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=False, base_batch_size=8)
log_processor = dict(type='LogProcessor', by_epoch=False)
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=500, max_keep_ckpts=1))
