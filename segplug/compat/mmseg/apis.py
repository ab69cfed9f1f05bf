"""``mmseg.apis``: a model from a config and a checkpoint, and what it says of images."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from torch import nn

from ...apis.checkpoints import classes_for, test_dataset
from ...apis.config import find_config, import_modules, merge_options, read_config
from ...apis.config_checks import declared_metainfo
from ...datasets.files import displayed
from ...engine.checkpoint import load_checkpoint
from ...engine.loading import TEST_FLOOR, LoadCfg, load_state_dict
from ...errors import ConfigError
from ...registry import MODELS
from ...structures import SegDataSample
from ...visualization import SegLocalVisualizer

ImageType = str | np.ndarray | Sequence[str] | Sequence[np.ndarray]
_LOADERS = ('LoadAnnotations', 'LoadDepthAnnotation')


def init_model(config: str | Path | Config, checkpoint: str | None = None,
               device: str = 'cuda:0', cfg_options: dict | None = None, *,
               classes: str | Sequence[str] | None = None) -> nn.Module:
    """The segmentor of a config, in eval mode.

    Args:
        config: Path or shipped name of a config, or a config.
        checkpoint: File, URL or known name; None leaves the weights as they start.
        device: Where to.
        cfg_options: Overrides by dotted key; ``load_cfg`` says how the checkpoint is read.
        classes: What they are, instead of what the checkpoint or the config says: names, a data
            set, or a file of names. mmsegmentation has no such argument.

    Returns:
        The model, with the config as ``cfg`` and, from the checkpoint or else from the config's
        test set, classes and palette as ``dataset_meta``.

    Raises:
        ConfigError: The config cannot be read, or has no model.
        CheckpointError: Nothing says what the classes are; they are not guessed.
    """
    if isinstance(config, (str, Path)):
        path = find_config(config)
        config = read_config(path)
        if config.get('custom_imports') is not None:
            import_modules(config.custom_imports, path)
    elif not isinstance(config, Config):
        raise TypeError(f'A config is a file or a Config, not {type(config)}')
    config = copy.deepcopy(config)
    if cfg_options:
        merge_options(config, cfg_options)
    if not isinstance(config.get('model'), Mapping):
        raise ConfigError('The config has no model.', got=f'model={config.get("model")!r:.100}')
    model_cfg = copy.deepcopy(config.model)
    if isinstance(model_cfg.get('backbone'), Mapping):
        model_cfg.backbone.pop('init_cfg', None)
    model_cfg.pretrained = model_cfg.train_cfg = None
    with DefaultScope.overwrite_default_scope(config.get('default_scope') or 'mmseg'):
        model = MODELS.build(model_cfg)
    saved = {}
    if checkpoint is not None:
        saved = load_checkpoint(checkpoint)
        coverage = load_state_dict(model, saved, checkpoint, TEST_FLOOR, same_classes=True,
                                   cfg=LoadCfg.from_dict(config.get('load_cfg')))
        print_log(f'Loaded {coverage}', 'current', coverage.log_level)
    model.dataset_meta = {}
    if checkpoint or classes or declared_metainfo(test_dataset(config)).get('classes'):
        names, palette = classes_for(model, saved, config, checkpoint, classes)
        model.dataset_meta = dict(classes=names, palette=palette)
    model.cfg = config
    return model.to(device).eval()


def test_pipeline(config: Config, of_arrays: bool) -> Compose:
    """The steps of a config's test pipeline that need no label."""
    steps = config.get('test_pipeline')
    if steps is None:
        from ...apis.config_checks import datasets
        steps = next((leaf.get('pipeline') for loader, leaf in datasets(config)
                      if loader == 'test_dataloader'), None)
    if not steps:
        raise ConfigError('The config has no test_pipeline.',
                          fix='name the transforms of a test test_pipeline')
    steps = [dict(step) for step in steps if step['type'] not in _LOADERS]
    if of_arrays:
        steps[0]['type'] = 'LoadImageFromNDArray'
    with DefaultScope.overwrite_default_scope('mmseg'):
        return Compose(steps)


def _preprare_data(imgs: ImageType, model: nn.Module) -> tuple[dict, bool]:
    """Images -> a batch as a loader gives it, and whether there was a list of them."""
    is_batch = isinstance(imgs, (list, tuple))
    images = list(imgs) if is_batch else [imgs]
    pipelines = {kind: test_pipeline(model.cfg, kind)
                 for kind in {isinstance(img, np.ndarray) for img in images}}
    samples = [pipelines[True](dict(img=img)) if isinstance(img, np.ndarray)
               else pipelines[False](dict(img_path=img)) for img in images]
    batch = {key: [sample[key] for sample in samples] for key in ('inputs', 'data_samples')}
    return batch, is_batch


@torch.no_grad()
def inference_model(model: nn.Module, img: ImageType) -> SegDataSample | list[SegDataSample]:
    """What a model says of an image, or of a list of them.

    Args:
        model: From `init_model`.
        img: Files, or (H, W, 3) uint8 BGR.

    Returns:
        Samples with ``pred_sem_seg``, (1, H, W) at the image's own size.
    """
    data, is_batch = _preprare_data(img, model)
    results = model.test_step(data)
    return results if is_batch else results[0]


def show_result_pyplot(model: nn.Module, img: str | np.ndarray, result: SegDataSample,
                       opacity: float = 0.5, title: str = '', draw_gt: bool = True,
                       draw_pred: bool = True, wait_time: float = 0, show: bool = True,
                       with_labels: bool | None = True, save_dir: str | None = None,
                       out_file: str | None = None) -> np.ndarray:
    """An image with the labels over it.

    Args:
        model: From `init_model`.
        img: A file, or (H, W, 3) uint8 RGB.
        result: From `inference_model`.
        opacity: Share of the labels' colours, in [0, 1].
        title: Name of the picture.
        draw_gt, draw_pred: Which labels to draw.
        wait_time: Seconds that a window stays; 0 is until a key is pressed.
        show: Whether there is a window.
        with_labels: Whether to write the names of the classes.
        save_dir: Folder of the visualizer.
        out_file: File to write.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    model = getattr(model, 'module', model)
    backends = [dict(type='LocalVisBackend')] if save_dir else None
    visualizer = SegLocalVisualizer(vis_backends=backends, save_dir=save_dir, alpha=opacity)
    visualizer.dataset_meta = dict(model.dataset_meta)
    visualizer.add_datasample(
        title, displayed(img) if isinstance(img, str) else img, result, draw_gt=draw_gt,
        draw_pred=draw_pred, wait_time=wait_time, out_file=out_file, show=show,
        with_labels=bool(with_labels))
    return visualizer.get_image()
