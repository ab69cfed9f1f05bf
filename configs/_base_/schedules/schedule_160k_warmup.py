# 160,000 iterations of SGD, of which the first 1,000 raise the rate to that of the leaf.
_base_ = './schedule_80k_warmup.py'

train_cfg = dict(max_iters=160000, val_interval=16000)
default_hooks = dict(checkpoint=dict(interval=16000))
