"""What every metric keeps: one result, however the images are ordered, batched or shared out."""

from dataclasses import dataclass, field

import numpy as np
import torch

from ..errors import DataError
from ..registry import METRICS
from .case import Case, Check, adds_to, hold, of_ours, own_scope
from .two_processes import on_two

META = dict(classes=('a', 'b', 'c'), palette=[[0, 0, 0], [1, 1, 1], [2, 2, 2]])
CHECKS: list[Check] = []


@dataclass
class MetricCase(Case):
    """A metric of label maps."""

    registry: object = field(default=METRICS)

    def metric(self):
        """The metric, told the classes."""
        metric = self.build()
        metric.dataset_meta = META
        return metric

    def scores(self, images: list[dict], batches: list[list[dict]]) -> dict:
        """The result of one evaluation."""
        return evaluated(self.metric(), images, batches)


def evaluated(metric, images: list[dict], batches: list[list[dict]]) -> dict:
    """The result of ``metric`` over ``batches``, of as many images as there are in all."""
    with own_scope():
        for batch in batches:
            metric.process(dict(inputs=[], data_samples=batch), batch)
        return metric.evaluate(len(images))


def samples(count: int = 5) -> list[dict]:
    """Images of growing height with random labels and predictions of 3 classes, some ignored."""
    generator = np.random.default_rng(0)
    made = []
    for index in range(count):
        label, pred = torch.from_numpy(generator.integers(0, 3, (2, 1, 9 + index, 11)))
        label[0, 0, :4] = 255
        logits = torch.nn.functional.one_hot(pred[0], 3).permute(2, 0, 1).float()
        made.append(dict(
            sample_idx=index, img_path=f'/d/{index}.png', seg_map_path=f'/d/{index}_label.png',
            ori_shape=tuple(pred.shape[1:]), img_shape=tuple(pred.shape[1:]),
            reduce_zero_label=False, gt_sem_seg=dict(data=label), pred_sem_seg=dict(data=pred),
            seg_logits=dict(data=logits)))
    return made


@adds_to(CHECKS, 'order and batches')
def order_and_batches_do_not_matter(case: MetricCase) -> None:
    """Nor does an evaluation before this one."""
    images, results = samples(), []
    for batches in ([images], [[s] for s in images], [[s] for s in reversed(images)]):
        metric = case.metric()
        results += [evaluated(metric, images, batches) for _ in range(2)]
    for result, what in zip(results[1:], (
            'after an evaluation', 'of batches of one', 'of batches of one, after an evaluation',
            'of images in another order', 'of images in another order, after an evaluation'),
            strict=True):
        kept = result == results[0] if case.strict else close(result, results[0])
        hold(kept, f'{case.name} is another {what}.', got=result, expected=results[0],
             fix='keep everything in self.results, which evaluate empties')
    hold(isinstance(results[0], dict) and all(isinstance(key, str) for key in results[0]),
         f'{case.name} gives no dict of numbers by name.', got=results[0])
    if case.strict:
        hold(all(isinstance(v, float) and np.isfinite(v) for v in results[0].values()),
             f'{case.name} gives what is no finite float.', got=results[0])


def close(one: dict, two: dict) -> bool:
    """Whether two results are the same but for the last digits, nan included."""
    return set(one) == set(two) and all(
        np.allclose(one[key], two[key], rtol=1e-6, equal_nan=True)
        if isinstance(one[key], (int, float, np.ndarray, torch.Tensor)) else one[key] == two[key]
        for key in one)


@adds_to(CHECKS, 'perfect', of_ours)
def a_perfect_prediction_scores_100(case: MetricCase) -> None:
    """As all of segplug's metrics are in percent."""
    images = samples()
    for image in images:
        image['pred_sem_seg']['data'] = image['gt_sem_seg']['data'] % 255
    found = case.scores(images, [images])
    hold(set(found.values()) == {100.}, f'{case.name} is not 100 where all is right.', got=found)


@adds_to(CHECKS, 'out of range', of_ours)
def values_out_of_range_are_an_error(case: MetricCase) -> None:
    """A label or prediction that is no class is a `DataError` that names the file."""
    for name in ('gt_sem_seg', 'pred_sem_seg'):
        image = samples(1)[0]
        image[name]['data'][0, 5, 5] = 3
        try:
            case.metric().process({}, [image])
        except DataError as error:
            hold('/d/0.png' in str(error) and 'Got: 3' in str(error),
                 f'{case.name} does not say which file holds which value.', got=str(error))
        else:
            hold(False, f'{case.name} takes a value of {name} that is no class.')


@adds_to(CHECKS, 'two processes')
def two_processes_give_the_same(case: MetricCase) -> None:
    """Each sees half of the images; their joint result is that of one process."""
    images = samples()
    alone = case.scores(images, [[s] for s in images])
    for result in on_two(lambda rank: case.scores(images, [[s] for s in images[rank::2]])):
        hold(isinstance(result, dict), f'{case.name} fails on two processes.', got=result)
        hold(result == alone if case.strict else close(result, alone),
             f'{case.name} is another on two processes than on one.', got=result, expected=alone,
             fix='compute it in compute_metrics from results, which holds what process put into '
                 'self.results on all processes')
