"""The confusion matrix of prediction files, against the labels of a config's test set."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from ..datasets import BaseSegDataset
from ..errors import ConfigError
from ..registry import DATASETS
from .config import load_config
from .config_checks import datasets
from .confusion_figure import THEME
from .confusions import Confusion, confusion
from .provenance import explained
from .score_files import label_endings, plain_name
from .scoring import score

PICTURE = 'confusion_matrix.png'


def confusion_of_maps(config: str, pred_dir: str, out: str, *, options: dict | None = None,
                      ignore_index: int | None = None, theme: str = THEME, title: str = ''
                      ) -> Confusion:
    """Score label maps, and draw what they confuse.

    Args:
        config: Its test set says classes, labels and images.
        pred_dir: Folder of predictions, named as their images.
        out: Folder for confusion_matrix.png, and for what `score` writes: confusion_matrix.npy,
            metrics.json, per_image.csv.
        options: As in `load_config`.
        ignore_index: Label value that is not scored; by default the config's.
        theme, title: Of the picture, as for `confusion`.

    Raises:
        ConfigError: The config has no test set with label files.
        DataError: As for `score`.
    """
    cfg = load_config(config, options=options)
    with explained(cfg, options):
        dataset = _test_set(cfg, config)
    root = dataset.data_prefix.get('seg_map_path')
    labels = [row['seg_map_path'] for row in map(dataset.get_data_info, range(len(dataset)))
              if row.get('seg_map_path')]
    if not root or not labels:
        raise ConfigError(f'The test set of {config} has no folder of labels.',
                          expected="data_prefix=dict(img_path=..., seg_map_path=...)")
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / 'names.txt'
        names.write_text('\n'.join(_names(labels, root, dataset.seg_map_suffix)),
                         encoding='utf-8', errors='surrogateescape')
        score(pred_dir, root, config=config, options=options, names=str(names), out=out,
              ignore_index=ignore_index, allow_extra=True)
    found = confusion(out, theme=theme, title=title)
    found.write(Path(out) / PICTURE)
    return found


def _test_set(cfg: Config, config: str) -> BaseSegDataset:
    leaves = [leaf for loader, leaf in datasets(cfg) if loader == 'test_dataloader']
    if len(leaves) != 1:
        raise ConfigError(f'The config {config} has no test set of its own.',
                          got=f'{len(leaves)} data sets in test_dataloader', expected='one')
    init_default_scope(cfg.default_scope)
    made = DATASETS.build({**leaves[0], 'pipeline': [], 'test_mode': True})
    if not isinstance(made, BaseSegDataset):
        raise ConfigError(f'The test set of {config} does not say where its labels lie.',
                          got=type(made).__name__, expected='a BaseSegDataset')
    return made


def _names(labels: Iterable[str], root: str, suffix: str) -> list[str]:
    """As `score` calls them: relative to the folder of labels, without suffix."""
    endings = label_endings(suffix)
    return [plain_name(Path(os.path.relpath(label, root)).as_posix(), endings) for label in labels]
