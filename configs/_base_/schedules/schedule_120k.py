# 120,000 iterations of SGD, down to a rate of zero; the leaf says how many images each takes.
_base_ = './schedule_80k.py'

param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0, by_epoch=False)]
train_cfg = dict(max_iters=120000, val_interval=12000)
default_hooks = dict(checkpoint=dict(interval=12000))
