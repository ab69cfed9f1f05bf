"""``mmseg.evaluation.CityscapesMetric``: predictions as files, scored by Cityscapes' own scripts.

segplug's IoUMetric scores the classes and categories of Cityscapes by itself, and writes the
files for the server; this one is for configs and code that name it. K classes, H W pixels.
"""

import importlib
import shutil
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...datasets.cityscapes import CLASSES, LABEL_IDS, TRAIN_IDS
from ...errors import ConfigError
from ...evaluation import outputs
from .unsupported import tell_without_effect

_SCRIPTS = 'cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling'
_SCORES = ('averageScoreCategories', 'averageScoreInstCategories')


def label_ids(train_ids: np.ndarray) -> np.ndarray:
    """(H, W) train ids -> the label ids that the scripts and the server want; others stay."""
    table = np.arange(256, dtype=np.uint8)
    table[:len(CLASSES)] = [label_id for label_id, _, _ in CLASSES]
    return table[train_ids.astype(np.uint8)]


class CityscapesMetric(BaseMetric):
    """The mean IoU of the categories, and that in which each instance counts alike.

    Args:
        output_dir: Folder of the predictions, which are label ids.
        ignore_index: mmsegmentation's; the scripts know what they ignore.
        format_only: Write predictions for a server, score nothing; needs ``keep_results``.
        keep_results: Whether the predictions stay once they are scored.
        collect_device, prefix: mmengine's. Others are accepted as there, with a warning that they
            have no effect.

    Raises:
        ConfigError: ``format_only`` without ``keep_results``, or cityscapesscripts is missing.
    """

    def __init__(self, output_dir: str, ignore_index: int = 255, format_only: bool = False,
                 keep_results: bool = False, collect_device: str = 'cpu',
                 prefix: str | None = None, **kwargs) -> None:
        tell_without_effect('CityscapesMetric', kwargs)
        super().__init__(collect_device=collect_device, prefix=prefix)
        if format_only and not keep_results:
            raise ConfigError('CityscapesMetric would throw away all that it writes.',
                              got='format_only=True, keep_results=False',
                              fix='set keep_results=True', culprit='keep_results')
        self.output_dir, self.ignore_index = output_dir, ignore_index
        self.format_only, self.keep_results = format_only, keep_results
        self._scripts = None if format_only else _import_scripts()

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Write the predictions of a batch, and keep their names and those of the labels."""
        for sample in data_samples:
            pred = sample['pred_sem_seg']['data']
            pred = pred.reshape(pred.shape[-2:]).cpu().numpy()
            path = Path(self.output_dir, Path(sample['img_path']).stem + '.png').absolute()
            outputs.atomic_write(path, outputs.label_png(label_ids(pred)))
            label = '' if self.format_only else sample['seg_map_path'].replace(
                f'{TRAIN_IDS}.png', f'{LABEL_IDS}.png')
            self.results.append((str(path), label))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Pairs of files -> the two scores, as fractions; empty with ``format_only``."""
        if self.format_only:
            print_log(f'Label ids for the server are in {self.output_dir}', 'current')
            return {}
        args = self._scripts.args
        args.evalInstLevelScore = args.evalPixelAccuracy = True
        args.JSONOutput, args.quiet = False, True
        args.predictionPath = str(Path(self.output_dir).absolute())
        with _in1d():
            scores = self._scripts.evaluateImgLists(*map(list, zip(*results, strict=True)), args)
        if not self.keep_results and is_main_process():
            shutil.rmtree(self.output_dir)
        return {name: scores[name] for name in _SCORES}


@contextmanager
def _in1d():
    """A numpy with ``in1d``, which the scripts call and numpy 2.4 has not."""
    if hasattr(np, 'in1d'):
        yield
        return
    np.in1d = lambda *args, **options: np.isin(*args, **options).ravel()
    try:
        yield
    finally:
        del np.in1d


def _import_scripts():
    try:
        return importlib.import_module(_SCRIPTS)
    except ImportError as error:
        raise ConfigError('CityscapesMetric needs cityscapesscripts.', got=error,
                          culprit='CityscapesMetric',
                          fix='pip install cityscapesscripts, or use IoUMetric, which scores the '
                              'categories too') from error
