# 80,000 iterations of SGD, of which the first 1,000 raise the rate to that of the leaf.
_base_ = './schedule_80k.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=1000, by_epoch=False),
    dict(type='PolyLR', power=0.9, eta_min=1e-4, begin=1000, by_epoch=False)]
