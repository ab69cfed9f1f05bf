# What every run shares, whatever its model, data and schedule.
default_scope = 'segplug'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # backend=None: nccl on GPUs, gloo on CPUs. A rank that does not answer for `timeout` seconds
    # ends the job.
    dist_cfg=dict(backend=None, timeout=600),
    # Training threads of each process; None shares the cores out.
    num_threads=None,
    # A fixed number, so that a CPU test gives the same bytes for any number of processes.
    test_num_threads=1)
# deterministic=True gives the same bits on a GPU too, at a price in speed.
randomness = dict(seed=0, deterministic=False)
visualizer = dict(
    type='SegLocalVisualizer',
    vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])
log_level = 'INFO'
load_from = None
resume = False
