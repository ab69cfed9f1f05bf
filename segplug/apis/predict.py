"""Label images with a checkpoint, through the same test step that scoring uses."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from ..errors import DataError
from ..ops import memory
from .checkpoints import classes_for, test_dataset, use_load_cfg
from .config import load_config
from .provenance import explained
from .test import use_aug_test, use_speed

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')


@dataclass
class Predictor:
    """A model on its device with the pipeline, classes and palette that go with it.

    Attributes:
        model: The segmentor, in eval mode.
        pipeline: From ``{'img_path': file}`` to the model's input.
        classes: K names.
        palette: K (r, g, b) triples in [0, 255].
    """

    model: torch.nn.Module
    pipeline: object
    classes: tuple[str, ...]
    palette: list

    @torch.inference_mode()
    def __call__(self, image: str | Path) -> np.ndarray:
        """Class ids, (H, W) integer, of an image file at its own size."""
        results = self.pipeline(dict(img_path=str(image), seg_fields=[]))
        sample = self.model.test_step(dict(inputs=[results['inputs']],
                                           data_samples=[results['data_samples']]))[0]
        if 'pred_is_finite' in sample and not sample.pred_is_finite:
            raise DataError(f'The network gave nan for {image}.', fix='check the checkpoint, which '
                            'may be of a training that diverged, and test in float32')
        return sample.pred_sem_seg.data[0].cpu().numpy()


def load_predictor(config: str, checkpoint: str, *, device: str | None = None,
                   aug_test: bool = False, options: dict | None = None,
                   data_root: str | None = None, speed: dict | None = None,
                   load: dict | None = None, classes: str | None = None) -> Predictor:
    """Build the model of a config and load a checkpoint into it.

    Args:
        config: Path or shipped name of the config.
        checkpoint: File, URL or known name.
        device: 'cpu', 'cuda:1', ...; by default a GPU when there is one.
        aug_test: Average over scales and mirror images.
        options, data_root: As for `segplug.apis.train.train`.
        speed, load: Added to the config's ``speed`` and ``load_cfg``, as for
            `segplug.apis.test.test`.
        classes: What they are, instead of what the checkpoint or the config says: a data set, a
            file of names, or names with commas between.

    Raises:
        ConfigError, CheckpointError: Also when nothing says what the classes are.
    """
    from mmengine.dataset import Compose
    from mmengine.device import get_device

    from ..engine.checkpoint import load_checkpoint
    from ..engine.loading import TEST_FLOOR, LoadCfg, load_state_dict
    from ..engine.speed import Speed, speed_up
    from ..registry import MODELS
    cfg = load_config(config, options=options, data_root=data_root)
    if aug_test and (note := use_aug_test(cfg)):
        print_log(note, 'current', logging.WARNING)
    use_speed(cfg, speed)
    use_load_cfg(cfg, load)
    with explained(cfg, options):
        init_default_scope(cfg.default_scope)
        saved = load_checkpoint(checkpoint)
        model = MODELS.build(cfg.model)
        coverage = load_state_dict(model, saved, checkpoint, TEST_FLOOR, same_classes=True,
                                   cfg=LoadCfg.from_dict(cfg.get('load_cfg')))
        print_log(f'Loaded {coverage}', 'current', coverage.log_level)
        names, palette = classes_for(model, saved, cfg, checkpoint, classes)
        steps = [step for step in test_dataset(cfg).get('pipeline', [])
                 if step['type'] != 'LoadAnnotations']
        pipeline = Compose(steps)
        model.to(device or get_device()).eval()
        speed_up(model, Speed.from_dict(cfg.get('speed')))
    return Predictor(model, pipeline, tuple(names), palette)


def predict(config: str, checkpoint: str, images: Iterable[str], out: str, *,
            device: str | None = None, aug_test: bool = False, options: dict | None = None,
            data_root: str | None = None, speed: dict | None = None, load: dict | None = None,
            classes: str | None = None) -> list[Path]:
    """Write ``labels/*.png`` (class ids, with the palette) and ``overlays/*.png`` to ``out``.

    Args:
        images: Image files; a folder stands for all images below it.
        out: Folder to write to.
        device, aug_test, options, data_root, speed, load, classes: As for `load_predictor`.

    Returns:
        The label files, in the order of the images.

    Raises:
        DataError: An image is missing, or none was found; nothing is written then.
    """
    from ..datasets.files import displayed
    from ..evaluation.outputs import output_names
    from ..visualization.draw import write_labels, write_overlay
    files = image_files(images)
    predictor = load_predictor(config, checkpoint, device=device, aug_test=aug_test,
                               options=options, data_root=data_root, speed=speed, load=load,
                               classes=classes)
    written = []
    with memory.reused():
        for file, name in zip(files, output_names([str(file) for file in files]), strict=True):
            labels = predictor(file)
            written.append(Path(out) / 'labels' / f'{name}.png')
            write_labels(written[-1], labels, predictor.palette)
            write_overlay(displayed(str(file)), labels, predictor.palette,
                          Path(out) / 'overlays' / f'{name}.png')
    return written


def image_files(images: Iterable[str]) -> list[Path]:
    """The files that arguments mean; a folder means all images below it, in order of name."""
    files = []
    for image in map(Path, images):
        if image.is_dir():
            inside = sorted(p for p in image.rglob('*') if p.suffix.lower() in IMAGE_SUFFIXES)
            if not inside:
                raise DataError(f'The folder {image} holds no image.',
                                expected=f'files ending in {", ".join(IMAGE_SUFFIXES)}')
            files += inside
        elif image.is_file():
            files.append(image)
        else:
            raise DataError(f'There is no image {image}.', fix='give a file or a folder of images')
    return files
