"""`SegLocalVisualizer`: mmengine's visualizer for labels; the drawing itself is in draw.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.visualization import LocalVisBackend, Visualizer

from ..errors import ConfigError, did_you_mean
from ..registry import DATASETS, VISUALIZERS
from ..structures import SegDataSample
from . import draw
from .backends import Guard, Tracker, check_installed

# What mmengine makes with matplotlib, which takes 0.2 s to import: made when it is asked for, by
# the first picture.
_FIGURE = ('fig_save_canvas', 'fig_save', 'ax_save', 'dpi')


class _NoFigure:
    """Stands where mmengine's constructor asks the figure for its resolution."""

    def get_dpi(self) -> None:
        """Not known yet."""


@VISUALIZERS.register_module()
class SegLocalVisualizer(Visualizer):
    """Draw label and prediction of a sample and hand the picture to all back ends.

    A back end whose server goes away does not end the run, see `backends.Guard`.

    Args:
        name: Name of the instance.
        image: (H, W, 3) uint8 RGB to start from.
        vis_backends: Configs of back ends, as mmengine has them.
        save_dir: Folder of the back ends.
        classes: K names; the data set's take their place once ``dataset_meta`` is set.
        palette: K colours in [0, 255]; None is `draw.default_palette`.
        dataset_name: Name of a registered data set whose classes and palette to take where
            they are not given: 'cityscapes' for CityscapesDataset.
        alpha: Share of the colour over the image, in [0, 1].

    Raises:
        ConfigError: Numbers of classes and colours differ, alpha is out of range, or a back end is
            not installed.
    """

    def __init__(self, name: str = 'visualizer', image: np.ndarray | None = None,
                 vis_backends: list | dict | None = None, save_dir: str | None = None,
                 classes: Sequence[str] | None = None,
                 palette: Sequence[Sequence[int]] | None = None,
                 dataset_name: str | None = None, alpha: float = 0.8) -> None:
        self._draws = False
        for one in [vis_backends] if isinstance(vis_backends, dict) else vis_backends or []:
            if isinstance(one, dict):
                check_installed(str(one.get('type')).rpartition('.')[2])
        super().__init__(name, None, vis_backends, save_dir)
        self._guards = {name: Guard(type(one).__name__)
                        for name, one in self._vis_backends.items()}
        self._draws = True
        if isinstance(self.fig_save, _NoFigure):
            for one in _FIGURE:
                delattr(self, one)
        if image is not None:
            self.set_image(image)
        if not 0 <= alpha <= 1:
            raise ConfigError('SegLocalVisualizer has a wrong alpha.', got=alpha,
                              expected='a number from 0 to 1', culprit='alpha')
        known = _metainfo(dataset_name) if dataset_name else {}
        classes, palette = classes or known.get('classes'), palette or known.get('palette')
        if classes and palette and len(classes) != len(palette):
            raise ConfigError('SegLocalVisualizer needs one colour for each class.',
                              got=f'{len(classes)} classes and {len(palette)} colours',
                              culprit='palette')
        self.alpha = alpha
        self.dataset_meta = dict(classes=classes, palette=palette)

    def _initialize_fig(self, fig_cfg: dict) -> tuple:
        """mmengine's canvas, figure and axes; none while a visualizer is made whose class leaves
        them as they are."""
        may_wait = type(self)._initialize_fig is SegLocalVisualizer._initialize_fig
        if may_wait and not self._draws:
            return None, _NoFigure(), None
        return super()._initialize_fig(fig_cfg)

    def __getattr__(self, name: str):
        if name not in _FIGURE:
            raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')
        self.fig_save_canvas, self.fig_save, self.ax_save = self._initialize_fig(self.fig_save_cfg)
        self.dpi = self.fig_save.get_dpi()
        return self.__dict__[name]

    @master_only
    def add_datasample(self, name: str, image: np.ndarray,
                       data_sample: SegDataSample | None = None, draw_gt: bool = True,
                       draw_pred: bool = True, show: bool = False, wait_time: float = 0,
                       out_file: str | None = None, step: int = 0,
                       with_labels: bool = True, draw_image: bool = False,
                       max_side: int | None = None) -> None:
        """Draw label (left) and prediction (right) over the image.

        Args:
            name: Identifier of the picture.
            image: (H, W, 3) uint8 RGB.
            data_sample: With ``gt_sem_seg`` and ``pred_sem_seg``, or one of them; without
                either the image itself is the picture. ``gt_depth_map`` and ``pred_depth_map``
                come below as colours.
            draw_gt, draw_pred: Which to draw.
            show: Whether to show it in a window.
            wait_time: Seconds the window stays; 0 is until a key is pressed.
            out_file: File to write instead of handing it to the back ends.
            step: Step for the back ends.
            with_labels: Whether to write the names of classes on their regions.
            draw_image: Whether the image alone comes first.
            max_side: Longest side that the image, and each part of the picture, may have; larger
                ones are made smaller.
        """
        parts = [self._side(image, data_sample, side, with_labels)
                 for side, chosen in (('gt', draw_gt), ('pred', draw_pred))
                 if chosen and data_sample is not None]
        parts = [part for part in parts if part is not None]
        if draw_image and parts:
            parts.insert(0, _padded(image, len(parts[0])))
        picture = np.concatenate([_smaller(part, max(image.shape[:2]), max_side)
                                  for part in parts or [image]], axis=1)
        self.set_image(picture)
        if show:
            self.show(picture, win_name=name, wait_time=wait_time)
        if out_file is not None:
            Path(out_file).parent.mkdir(parents=True, exist_ok=True)
            suffix = Path(out_file).suffix
            Path(out_file).write_bytes(cv2.imencode(suffix, picture[..., ::-1])[1].tobytes())
        else:
            self.add_image(name, picture, step)

    # --- back ends -------------------------------------------------------------------------

    @master_only
    def start_trackers(self, run_ids: Mapping[str, str], facts: Mapping[str, str],
                       resumed: bool = False) -> None:
        """Begin runs on the servers of back ends that keep some.

        Args:
            run_ids: Those of the training that is gone on with, by back end.
            facts: Recorded beside the config.
            resumed: A training is gone on with: what cannot start does not end it.

        Raises:
            ConfigError: One wants a key, or other settings.
        """
        for name, one in self._vis_backends.items():
            if isinstance(one, Tracker):
                self._guards[name].start(one.start, run_ids.get(name), facts, resumed=resumed)

    def tracked_runs(self) -> dict[str, str]:
        """The ids of the runs on servers by back end, of those that have begun."""
        return {name: one.run_id for name, one in self._vis_backends.items()
                if isinstance(one, Tracker) and one.run_id}

    @master_only
    def add_config(self, config: Config, **kwargs) -> None:
        """Hand the config to all back ends."""
        self._each('add_config', config, **kwargs)

    @master_only
    def add_graph(self, model: torch.nn.Module, data_batch: Sequence[dict], **kwargs) -> None:
        """Hand the model to all back ends."""
        self._each('add_graph', model, data_batch, **kwargs)

    @master_only
    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        """Hand a picture, (H, W, 3) uint8 RGB, to all back ends."""
        self._each('add_image', name, image, step)

    @master_only
    def add_scalar(self, name: str, value, step: int = 0, **kwargs) -> None:
        """Hand a value to all back ends."""
        self._each('add_scalar', name, value, step, **kwargs)

    @master_only
    def add_scalars(self, scalar_dict: dict, step: int = 0, file_path: str | None = None,
                    **kwargs) -> None:
        """Hand values to all back ends; ``file_path`` is as in mmengine."""
        self._each('add_scalars', scalar_dict, step, file_path, **kwargs)

    def close(self) -> None:
        """Close all back ends."""
        self._each('close')

    def _each(self, method: str, *args, **kwargs) -> None:
        for name, one in self._vis_backends.items():
            function, guard = getattr(one, method), self._guards.get(name)
            if guard is None or isinstance(one, LocalVisBackend):
                function(*args, **kwargs)
            elif guard.was_started or getattr(one, '_env_initialized', True) or method == 'close':
                guard.call(function, *args, **kwargs)
            else:
                guard.start(function, *args, **kwargs)

    # --- pictures --------------------------------------------------------------------------

    def _side(self, image: np.ndarray, sample: SegDataSample, side: str,
              with_labels: bool) -> np.ndarray | None:
        """The label's part of a picture ('gt') or the prediction's ('pred'); None without one."""
        labels, depth = f'{side}_sem_seg', f'{side}_depth_map'
        if labels not in sample and depth not in sample:
            return None
        if labels in sample:
            image = self._draw(image, getattr(sample, labels).data, with_labels)
        if depth not in sample:
            return image
        values = getattr(sample, depth).cpu().numpy().data.astype(np.float64)
        colours = draw.heat_map(values.reshape(values.shape[-2:]))
        return np.concatenate([image, cv2.resize(colours, image.shape[1::-1])])

    def _draw(self, image: np.ndarray, data, with_labels: bool) -> np.ndarray:
        meta = self.dataset_meta or {}
        labels = np.asarray(data.cpu() if hasattr(data, 'cpu') else data).reshape(image.shape[:2])
        picture = draw.overlay(image, labels, meta.get('palette'), self.alpha)
        if with_labels and meta.get('classes'):
            picture = draw.name_regions(picture, labels, meta['classes'])
        return picture


def _padded(image: np.ndarray, height: int) -> np.ndarray:
    """With black below, where depth makes the other parts higher."""
    return np.pad(image, ((0, height - len(image)), (0, 0), (0, 0)))


def _smaller(part: np.ndarray, side: int, max_side: int | None) -> np.ndarray:
    """By the factor that brings ``side`` to ``max_side``; the part itself if it is no larger."""
    if max_side is None or side <= max_side:
        return part
    height, width = (max(1, round(n * max_side / side)) for n in part.shape[:2])
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)


def _metainfo(dataset_name: str) -> dict:
    """METAINFO of the registered data set that is called so, with or without 'Dataset'."""
    names = {name.lower().removesuffix('dataset'): name for name in DATASETS.names()}
    found = names.get(dataset_name.lower().removesuffix('dataset'))
    if found is None:
        raise ConfigError(f'No data set is called {dataset_name!r}.', culprit=dataset_name,
                          fix=did_you_mean(dataset_name, names))
    return getattr(DATASETS.get(found), 'METAINFO', {})
