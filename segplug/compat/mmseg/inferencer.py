"""``mmseg.apis.MMSegInferencer``: many images to labels, pictures and files, in one call."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.device import get_device
from torch import nn

from ...apis.sources import source_files
from ...structures import SegDataSample
from .apis import inference_model, init_model, show_result_pyplot


class MMSegInferencer:
    """A model and what is done with its labels.

    Args:
        model: Path or shipped name of a config, a config, or a model from `init_model`.
        weights: Checkpoint, as for `init_model`.
        classes, palette: In place of the checkpoint's.
        dataset_name: Published data set whose classes and palette to take.
        device: Where to; by default a GPU when there is one.
        scope: Not needed here.
    """

    def __init__(self, model: str | Config | nn.Module, weights: str | None = None,
                 classes: list | None = None, palette: list | None = None,
                 dataset_name: str | None = None, device: str | None = None,
                 scope: str | None = 'mmseg') -> None:
        from .class_names import get_classes, get_palette
        self.model = model if isinstance(model, nn.Module) else init_model(
            model, weights, device or get_device())
        self.cfg = self.model.cfg
        meta = dict(self.model.dataset_meta)
        if dataset_name:
            meta = dict(classes=get_classes(dataset_name), palette=get_palette(dataset_name))
        given = dict(classes=classes, palette=palette)
        self.model.dataset_meta = {**meta, **{k: v for k, v in given.items() if v is not None}}
        self.num_visualized_imgs = self.num_pred_imgs = 0

    def __call__(self, inputs: str | np.ndarray | Sequence, return_datasamples: bool = False,
                 batch_size: int = 1, return_vis: bool = False, show: bool = False,
                 wait_time: float = 0, out_dir: str = '', img_out_dir: str = 'vis',
                 pred_out_dir: str = 'pred', opacity: float = 0.8,
                 with_labels: bool | None = True) -> dict | SegDataSample | list[SegDataSample]:
        """Label images.

        Args:
            inputs: Files, folders, or (H, W, 3) uint8 BGR; one, or several.
            return_datasamples: Return the samples in place of the dict.
            batch_size: Images that are read at once.
            return_vis: Whether the dict holds pictures.
            show, wait_time: As for `show_result_pyplot`.
            out_dir: Folder of the folders ``img_out_dir`` for pictures and ``pred_out_dir`` for
                labels; '' writes nothing.
            opacity, with_labels: As for `show_result_pyplot`.

        Returns:
            ``predictions``, (H, W) integer, and ``visualization``, (H, W, 3) uint8 RGB; a list of
            each where there are several images.
        """
        images = _images(inputs)
        samples = []
        for start in range(0, len(images), batch_size):
            samples += inference_model(self.model, images[start:start + batch_size])
        samples = [sample.cpu() for sample in samples]
        pictures = []
        if return_vis or show or out_dir:
            folder = Path(out_dir, img_out_dir) if out_dir else None
            pictures = [self._draw(image, sample, folder, show, wait_time, opacity, with_labels)
                        for image, sample in zip(images, samples, strict=True)]
        labels = [sample.pred_sem_seg.data[0].numpy() for sample in samples]
        if out_dir:
            self._write(labels, Path(out_dir, pred_out_dir))
        one = len(images) == 1
        if return_datasamples:
            return samples[0] if one else samples
        vis = pictures if return_vis else []
        return dict(predictions=labels[0] if one else labels,
                    visualization=vis[0] if one and vis else vis)

    def _draw(self, image, sample: SegDataSample, folder: Path | None, show: bool,
              wait_time: float, opacity: float, with_labels: bool | None) -> np.ndarray:
        is_file = isinstance(image, str)
        name = Path(image).name if is_file else f'{self.num_visualized_imgs:08d}_vis.jpg'
        self.num_visualized_imgs += 1
        return show_result_pyplot(
            self.model, image if is_file else image[..., ::-1], sample, opacity, name,
            draw_gt=False, wait_time=wait_time, show=show, with_labels=with_labels,
            out_file=str(folder / name) if folder else None)

    def _write(self, labels: list[np.ndarray], folder: Path) -> None:
        """Labels as ``00000000_pred.png`` ..., in the order of the images."""
        folder.mkdir(parents=True, exist_ok=True)
        for label in labels:
            deep = np.uint8 if label.max(initial=0) < 256 else np.uint16
            png = cv2.imencode('.png', label.astype(deep))[1]
            (folder / f'{self.num_pred_imgs:08d}_pred.png').write_bytes(png.tobytes())
            self.num_pred_imgs += 1


def _images(inputs) -> list:
    """One image, or several, with folders opened."""
    if isinstance(inputs, (str, Path)):
        return [str(file) for file in source_files([str(inputs)])]
    return [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
