# 40,000 iterations of SGD; the leaf says how many images each takes.
_base_ = './schedule_80k.py'

train_cfg = dict(max_iters=40000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
