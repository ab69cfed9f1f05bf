"""Every registered metric: the same result however the images are ordered, batched or shared out,
an error for what is out of range, and a fresh start after each evaluation. A metric without a row
fails.
"""

from contracts import every

from segplug.contract.metrics import CHECKS, MetricCase
from segplug.registry import METRICS

# Name -> the arguments it is tried with.
ROWS = {
    'IoUMetric': [dict(), dict(iou_metrics=['mIoU', 'mDice', 'mFscore'], beta=2),
                  dict(nan_to_num=0, prefix='val')],
    'BoundaryIoUMetric': [dict(), dict(dilation_ratio=0.1, prefix='val')],
}
CASES = [MetricCase(dict(type=name, **settings), strict=True)
         for name, rows in ROWS.items() for settings in rows]


def test_every_metric_has_a_row():
    METRICS.import_from_location()
    ours = {name for name, cls in METRICS.module_dict.items()
            if cls.__module__.startswith('segplug.')}
    assert ours == set(ROWS)


@every(CASES, CHECKS)
def test_it_keeps_its_contract(case, check):
    check(case)
