# 60,000 iterations of Adam: the schedule of the published CGNet.
_base_ = './schedule_80k.py'

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=0.001, eps=1e-8, weight_decay=5e-4))
train_cfg = dict(max_iters=60000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
