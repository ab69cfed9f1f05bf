# 20,000 iterations of SGD; the leaf says how many images each takes.
_base_ = './schedule_80k.py'

train_cfg = dict(max_iters=20000, val_interval=2000)
default_hooks = dict(checkpoint=dict(interval=2000))
