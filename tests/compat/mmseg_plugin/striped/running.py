"""A hook and a metric, written as for mmsegmentation 1.x."""

import os.path as osp

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmseg.evaluation import IoUMetric
from mmseg.registry import HOOKS, METRICS


@HOOKS.register_module()
class CountingHook(Hook):
    """Writes how many iterations and tested samples it saw."""

    priority = 'LOW'

    def __init__(self, interval=1):
        self.interval = interval
        self.iters, self.tested = 0, 0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.every_n_train_iters(runner, self.interval):
            self.iters += 1
        assert 'loss' in outputs
        assert len(data_batch['data_samples']) > 0

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.tested += len(outputs)
        assert outputs[0].pred_sem_seg.data.shape[-2:] == outputs[0].ori_shape

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.after_val_iter(runner, batch_idx, data_batch, outputs)

    @master_only
    def after_run(self, runner):
        with open(osp.join(runner.work_dir, 'counted.txt'), 'a') as f:
            f.write(f'{self.iters} {self.tested}\n')


@METRICS.register_module()
class StripesMetric(IoUMetric):
    """Adds the IoU of the stripe."""

    def compute_metrics(self, results):
        metrics = super().compute_metrics(results)
        intersect, union = (sum(r[i] for r in results)[1] for i in range(2))
        metrics['stripe'] = 100. * float(intersect) / max(float(union), 1.)
        metrics['images'] = len(results)
        return metrics
