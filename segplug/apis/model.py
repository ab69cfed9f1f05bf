"""A model that labels images: what a notebook holds, and what `segplug predict` uses."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from PIL import Image

from ..datasets.files import displayed
from ..datasets.rasters import WholeRaster, open_raster
from ..errors import ConfigError, DataError
from ..ops import memory
from ..ops.fuse import probabilities
from ..structures import SegDataSample
from ..visualization.draw import default_palette
from . import large
from .checkpoints import classes_for, test_dataset, use_load_cfg
from .config import load_config
from .devices import on_device
from .held import Held, held, loader_flags, tell_of_scale
from .in_order import in_order
from .prediction import Prediction
from .provenance import explained
from .saved_config import config_of_checkpoint
from .sources import Video, is_video, source_files
from .testing import use_aug_test, use_speed

Source = str | Path | np.ndarray | Image.Image


def load_model(config: str | Path, checkpoint: str | Path | None = None, *,
               device: str | None = None, aug_test: bool = False, options: dict | None = None,
               data_root: str | None = None, speed: dict | None = None, load: dict | None = None,
               classes: str | Sequence[str] | None = None) -> 'Model':
    """The model of a config with the weights of a checkpoint, ready to label images.

    ``load_model(checkpoint)`` alone takes the config that is in a checkpoint of segplug.

    Args:
        config: Path or shipped name of the config; or the checkpoint, if it is the only one.
        checkpoint: File, URL or known name.
        device: 'cpu', 'cuda:1', ...; by default a GPU when there is one.
        aug_test: Average over scales and mirror images.
        options, data_root: As for `segplug.apis.train`.
        speed, load: Added to the config's ``speed`` and ``load_cfg``, as for `segplug.apis.test`.
        classes: What they are, instead of what the checkpoint or the config says: see
            `class_names.class_table`.

    Raises:
        ConfigError, CheckpointError: What is wrong, where it is set and what to do.
    """
    from ..engine.checkpoint import load_checkpoint
    from ..engine.loading import TEST_FLOOR, LoadCfg, load_state_dict
    from ..engine.speed import Speed, speed_up
    from ..registry import MODELS
    alone = checkpoint is None
    checkpoint = str(config if alone else checkpoint)
    saved = load_checkpoint(checkpoint)
    cfg = config_of_checkpoint(saved, checkpoint, options=options) if alone else \
        load_config(config, options=options, data_root=data_root)
    if aug_test and (note := use_aug_test(cfg)):
        print_log(note, 'current', logging.WARNING)
    use_speed(cfg, speed)
    use_load_cfg(cfg, load)
    with explained(cfg, options), _scope(cfg):
        net = MODELS.build(cfg.model)
        coverage = load_state_dict(net, saved, checkpoint, TEST_FLOOR, same_classes=True,
                                   cfg=LoadCfg.from_dict(cfg.get('load_cfg')))
        print_log(f'Loaded {coverage}', 'current', coverage.log_level)
        names, palette = classes_for(net, saved, cfg, checkpoint, classes)
        on_device(net, device).eval()
        speed_up(net, Speed.from_dict(cfg.get('speed')))
        return Model(net, cfg, names, palette)


def _scope(cfg: Config):
    return DefaultScope.overwrite_default_scope(cfg.default_scope)


class Model:
    """A network with all that lies between an image and its labels.

    Args:
        net: The segmentor, on its device, in eval mode.
        cfg: The config, for the pipeline of its test set.
        classes: K names. A single one, of a network with one output, is label 1, and label 0 is
            what is around it.
        palette: K (r, g, b) in [0, 255]; None makes one up.

    Attributes:
        net, cfg: As given.
        classes: A name for each label.
        palette: Their (r, g, b).
    """

    def __init__(self, net: torch.nn.Module, cfg: Config, classes: Sequence[str],
                 palette: Sequence | None = None) -> None:
        if len(classes) == getattr(net, 'out_channels', None) == 1:
            classes = (f'not {classes[0]}', classes[0])
            palette = None if palette is None else [(0, 0, 0), *palette]
        self.net, self.cfg, self.classes = net, cfg, tuple(classes)
        self.palette = default_palette(len(classes)) if palette is None else palette
        self.steps = [dict(step) for step in test_dataset(cfg).get('pipeline') or
                      cfg.get('test_pipeline') or [] if step['type'] != 'LoadAnnotations']
        if not self.steps:
            raise ConfigError('The config has no test pipeline, which says how images are read.',
                              fix='give test_dataloader.dataset a pipeline')
        self._pipelines: dict[bool, Callable[[dict], dict]] = {}
        self._told_of_scale = False

    def __repr__(self) -> str:
        modules = [getattr(self.net, name, None) for name in ('backbone', 'neck', 'decode_head')]
        parts = [type(part).__name__ for module in modules if module is not None for part in
                 (module if isinstance(module, torch.nn.ModuleList) else [module])]
        return (f'Model({type(self.net).__name__} of {", ".join(parts)}; '
                f'{len(self.classes)} classes; on {self.device})')

    @property
    def device(self) -> torch.device:
        return next(self.net.parameters()).device

    @property
    def channels(self) -> int | None:
        """C of the images that the network takes, where mean or backbone say so."""
        if len(self._mean) > 1:
            return len(self._mean)
        count = (self.cfg.model.get('backbone') or {}).get('in_channels')
        return count if isinstance(count, int) else None

    @property
    def _mean(self) -> list[float]:
        mean = getattr(getattr(self.net, 'data_preprocessor', None), 'mean', None)
        return [] if mean is None else mean.flatten().tolist()

    def predict(self, image: Source | Iterable[Source], *, probs: bool = False,
                channel_order: str = 'bgr') -> Prediction | list[Prediction]:
        """Label an image, or several.

        Args:
            image: A file; an array (H, W) or (H, W, C), with values as the pipeline's loader would
                give them; a picture of Pillow; a list of them, or a folder, a pattern or a video:
                then a list comes back. `stream` does not keep all of them.
            probs: Whether to keep the probabilities.
            channel_order: Of arrays with three channels: 'bgr', as OpenCV reads them, or 'rgb'.

        Raises:
            DataError: An image is missing or broken, or the network gave nan.
        """
        if isinstance(image, (np.ndarray, Image.Image)) or _is_single(image):
            return self._labelled(self._held(image, channel_order), probs)
        if isinstance(image, (str, Path)):
            files = source_files([image])
            if files == [Path(image)] and not is_video(image):
                return self._labelled(files[0], probs)
            image = files
        return list(self.stream(image, probs=probs, channel_order=channel_order))

    def stream(self, images: Source | Iterable[Source], *, probs: bool = False,
               channel_order: str = 'bgr') -> Iterator[Prediction]:
        """`predict` of one image after the other; the next ones are read meanwhile.

        Four images are asked for ahead, so of a camera's frames, which come when they come, the
        results are four late; `predict` of each frame is not.
        """
        if isinstance(images, (str, Path, np.ndarray, Image.Image)):
            images = [images]
        items = self._items(images, channel_order)
        with memory.reused():
            for source, results in in_order(self._read, items, workers=2):
                yield self._labelled(source, probs, results)

    def packed(self, image: Source, *, channel_order: str = 'bgr') -> 'Packed':
        """An image as the pipeline packs it for the network.

        Args:
            image, channel_order: One image, as for `predict`.

        Raises:
            DataError: It is missing, broken, or too large to be held.
        """
        if isinstance(image, (str, Path)):
            image = Path(image)
        source, results = self._read(image if isinstance(image, Path) else
                                     self._held(image, channel_order))
        if results is None:
            raise DataError(f'{source} is too large to go through the network at once.',
                            got='x'.join(map(str, reversed(large.size_of(source)))),
                            fix='cut the image')
        return Packed(str(source), results['inputs'], results['data_samples'],
                      lambda: self._picture(source) if isinstance(source, Path) else
                      source.picture())

    def _items(self, images: Iterable[Source], channel_order: str) -> Iterator:
        """What `_read` takes; the pipeline is made here, in the thread that asks for results: the
        default scope, which making it sets, is one for all threads."""
        for image in images:
            self._pipeline(of_array=not isinstance(image, (str, Path)))
            if not isinstance(image, (str, Path)):
                yield self._held(image, channel_order)
                continue
            for file in source_files([image]):
                if is_video(file):
                    self._pipeline(of_array=True)
                    for number, frame in enumerate(Video(file)):
                        yield Held(frame, f'{file.name}, frame {number}')
                else:
                    yield file

    def _held(self, image, channel_order: str) -> Held:
        found = held(image, self.steps[0], self.channels, channel_order)
        if not self._told_of_scale:
            self._told_of_scale = tell_of_scale(found, self._mean)
        return found

    def _read(self, source) -> tuple:
        """The source, and what the pipeline makes of it; None for a file to be read by rows."""
        if isinstance(source, Path) and large.is_large(source):
            return source, None
        of_array = not isinstance(source, Path)
        given = dict(img=source.array) if of_array else dict(img_path=str(source))
        results = self._pipeline(of_array)(dict(given, seg_fields=[]))
        self._check_channels(source, results['inputs'].shape)
        return source, results

    def _check_channels(self, source, shape: tuple[int, ...]) -> None:
        """Name the image that the network cannot take.

        Args:
            source: A file or a `Held`.
            shape: (C, H, W).
        """
        if len(shape) == 3 and self.channels not in (None, shape[0]):
            raise DataError(f'The image {source} does not fit the model.',
                            got=f'{shape[0]} channels', expected=f'{self.channels}',
                            fix='convert it, or see to the color_type and imdecode_backend of the '
                                'test pipeline')

    def _pipeline(self, of_array: bool) -> Callable[[dict], dict]:
        if of_array not in self._pipelines:
            from mmengine.dataset import Compose
            loader, *rest = self.steps
            if of_array:
                loader = dict(type='LoadImageFromNDArray',
                              to_float32=loader.get('to_float32', False))
            with _scope(self.cfg):
                self._pipelines[of_array] = Compose([loader, *rest])
        return self._pipelines[of_array]

    @torch.inference_mode()
    def _labelled(self, source, probs: bool, results: dict | None = None) -> Prediction:
        if results is None:
            source, results = self._read(source)
        if results is None:
            return self._labelled_by_rows(source, probs)
        with self._keeping_scores(probs), _scope(self.cfg):
            sample = self.net.test_step(dict(inputs=[results['inputs']],
                                             data_samples=[results['data_samples']]))[0]
        if 'pred_is_finite' in sample and not sample.pred_is_finite:
            raise large.no_number(source)
        return self._prediction(source, sample.pred_sem_seg.data[0].cpu().numpy(),
                                self._probs(sample) if probs else None)

    def _prediction(self, source, labels: np.ndarray, probs: np.ndarray | None = None
                    ) -> Prediction:
        if isinstance(source, Path):
            return Prediction(labels, self.classes, self.palette, str(source), probs,
                              lambda: self._picture(source))
        return Prediction(labels, self.classes, self.palette, source.name, probs,
                          lambda: source.picture())

    def _picture(self, path: Path) -> np.ndarray:
        """(H, W, 3) uint8 RGB, turned as the loader turns it."""
        loader = self.steps[0]
        return displayed(str(path), loader.get('backend_args'), *loader_flags(loader))

    @contextlib.contextmanager
    def _keeping_scores(self, wanted: bool):
        """The segmentor keeps its scores inside the ``with``, if they are ``wanted``."""
        before = getattr(self.net, 'tta_cfg', None)
        if not wanted or before is None:
            yield
            return
        self.net.tta_cfg = replace(before, save_logits=True)
        try:
            yield
        finally:
            self.net.tta_cfg = before

    def _probs(self, sample) -> np.ndarray:
        if 'seg_logits' not in sample:
            raise ConfigError(f'{type(self.net).__name__} does not say its probabilities.',
                              expected='EncoderDecoder, or seg_logits in its samples')
        scores = sample.seg_logits.data
        cfg = getattr(self.net, 'tta_cfg', None)
        if cfg is None or not cfg.averages_probs:
            scores = probabilities(scores)
        if len(scores) == 1:
            scores = torch.cat([1 - scores, scores])
        return scores.float().cpu().numpy()

    # --- large images ---------------------------------------------------------------------

    @contextlib.contextmanager
    def by_rows(self, path: Path, window: tuple[int, int] | None = None,
                stride: tuple[int, int] | None = None):
        """Open an image file to label it in windows at its own size, however large it is.

        One that is not `large.is_large` is read by the loader of the pipeline.

        Yields:
            The `large.LargeImage`, and its labels band by band, (n, W) integer, from the top.
        """
        cfg = large.window_cfg(self.net.tta_cfg, window, stride)
        with self._opened(Path(path)) as image, torch.inference_mode(), _scope(self.cfg):
            self._check_channels(path, (image.channels, *image.size))
            yield image, image.labels(self.net, cfg, self.device)

    @contextlib.contextmanager
    def _opened(self, path: Path) -> Iterator[large.LargeImage]:
        if large.is_large(path):
            with open_raster(path) as raster:
                yield large.LargeImage(path, raster, self.steps)
            return
        from ..registry import TRANSFORMS
        with _scope(self.cfg):
            read = TRANSFORMS.build(self.steps[0])
        raster = WholeRaster(read(dict(img_path=str(path), seg_fields=[]))['img'])
        yield large.LargeImage(path, raster, self.steps, self._picture(path))

    def _labelled_by_rows(self, path: Path, probs: bool) -> Prediction:
        if probs:
            raise ConfigError(f'{path} is too large for its probabilities.',
                              got='x'.join(map(str, reversed(large.size_of(path)))),
                              fix='cut the image')
        with self.by_rows(path) as (_, bands):
            return self._prediction(path, np.concatenate(list(bands)))


@dataclass(frozen=True)
class Packed:
    """An image that is ready for `EncoderDecoder.test_step`.

    Attributes:
        name: What it is spoken of by.
        inputs: (C, H, W) as the pipeline gives it.
        sample: Its `SegDataSample`.
        picture: Makes the picture that it is, (H', W', 3) uint8 RGB, at its own size.
    """

    name: str
    inputs: torch.Tensor
    sample: SegDataSample
    picture: Callable[[], np.ndarray] = field(repr=False)


def _is_single(image) -> bool:
    """Whether it can only be one image, such as it is: it is no name and holds no others."""
    return isinstance(image, bytes) or not isinstance(image, (str, Path, Iterable))
