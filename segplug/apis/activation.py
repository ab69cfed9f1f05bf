"""Where in an image a network finds the evidence for a class: class-activation maps as pictures."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ..analysis.cam import METHODS, heat, score
from ..analysis.layers import Layer, as_map, layer_of, recorded
from ..engine.whole_file import whole_file
from ..errors import ConfigError, did_you_mean
from ..ops.fuse import labels_of, probabilities
from ..ops.resize import resize
from ..visualization.draw import captioned, encode_picture, heat_overlay, overlay
from ..visualization.layers import grid
from .large import no_number
from .model import Model, Source
from .network_input import NetworkInput, loaded, network_input
from .predict_files import file_names

Region = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Activation:
    """The evidence for one class.

    Attributes:
        image: What it is in.
        name, class_id: The class.
        heat: (H, W) float32 in [0, 1], at the image's size; 1 is the most, 0 everywhere if nothing
            speaks for the class.
        labels: (H, W) class ids of the same forward pass.
        pixels: How many of the network's input the score was summed over.
        score: That sum of logits.
        layer: Whose activations they are, with the number of its output, and their shape.
        method: One of `segplug.analysis.cam.METHODS`.
        palette: K (r, g, b).
        region: Whose pixels these were; None for those that are labelled as the class.
    """

    image: NetworkInput = field(repr=False)
    name: str
    class_id: int
    heat: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    pixels: int
    score: float
    layer: str
    method: str
    palette: Sequence[Sequence[int]] = field(repr=False)
    region: Region | None = None

    def overlay(self, alpha: float = 0.7) -> np.ndarray:
        """(H, W, 3) uint8 RGB: the heat over the image in gray."""
        return heat_overlay(self.image.picture, self.heat, alpha)

    def prediction(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB: the labels over the image."""
        return overlay(self.image.picture, self.labels, self.palette)

    def panel(self) -> np.ndarray:
        """The image, its prediction and the heat side by side."""
        image = self.image.picture.copy()
        if self.region:
            x, y, width, height = self.region
            for colour, grow in (((0, 0, 0), 1), ((255, 255, 255), 0)):
                cv2.rectangle(image, (x - grow, y - grow), (x + width - 1 + grow,
                                                            y + height - 1 + grow), colour, 1)
        cells = [captioned(image, Path(self.image.name).name),
                 captioned(self.prediction(), 'prediction'),
                 captioned(self.overlay(), f'{self.name}, {self.method} at {self.layer}')]
        return grid(cells, columns=3, cell=512)

    def __str__(self) -> str:
        nothing = '' if self.heat.any() else '; nothing in this layer speaks for it'
        return (f'{self.name}: {self.method} at {self.layer}, of {self.pixels} pixels whose logits '
                f'sum to {self.score:.4g}{nothing}')

    def _repr_png_(self) -> bytes:
        return encode_picture(self.panel())


@dataclass(frozen=True, eq=False)
class Activations:
    """The evidence for some classes.

    Attributes:
        found: An `Activation` for each.
        files: What was written.
    """

    found: list[Activation]
    files: list[Path]

    def __iter__(self) -> Iterator[Activation]:
        return iter(self.found)

    def __getitem__(self, number: int) -> Activation:
        return self.found[number]

    def __len__(self) -> int:
        return len(self.found)

    def __str__(self) -> str:
        return '\n'.join([*map(str, self.found), *(f'Written: {path}' for path in self.files)])

    def _repr_png_(self) -> bytes:
        return encode_picture(grid([one.panel() for one in self.found], columns=1, cell=1600))


def cam(config: str | os.PathLike | Model, checkpoint: str | os.PathLike | None, image: Source,
        classes: str | int | Sequence[str | int], *, layer: str | None = None,
        method: str = 'gradcam', region: Region | None = None, out: str | os.PathLike | None = None,
        channel_order: str = 'bgr', device: str | None = None, options: Mapping | None = None,
        data_root: str | None = None, load: Mapping | None = None) -> Activations:
    """Show where the evidence for classes lies in an image, by gradients of their logits.

    The image goes through the network whole, at one scale. `segplug.analysis.cam` says what is
    computed.

    Args:
        config, checkpoint, device, options, data_root, load: As for `features`.
        image, channel_order: One image, as for `Model.predict`.
        classes: Names or ids.
        layer: Whose activations; by default the last output of the backbone that the logits
            depend on.
        method: One of `segplug.analysis.cam.METHODS`.
        region: (x, y, width, height) in pixels of the image, whose logits are summed; by default
            those of all pixels that are labelled as the class.
        out: Folder for <class>.png ('traffic_light.png'), which is the heat over the image, and
            panel.png.

    Raises:
        ConfigError: A class, layer or method is unknown; no pixel is labelled as a class; the
            logits do not depend on the layer.
        DataError: The image is missing or broken, or the network gives nan.
    """
    if method not in METHODS:
        heat(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), method)
    model = loaded(config, checkpoint, device, options, data_root, load)
    ids = [class_id_of(one, model.classes) for one in
           ([classes] if isinstance(classes, (str, int)) else classes)]
    wanted = layer_of(model.net, layer or 'backbone')
    seen = network_input(model, image, channel_order)
    found = list(_found(model, seen, ids, wanted, method, region))
    files = [] if out is None else _write(Path(out), found, model.classes)
    return Activations(found, files)


def class_id_of(given: str | int, classes: Sequence[str]) -> int:
    """The class that is meant: a number by its id; words by the name, whatever its case where no
    class is written just so, or else by the id.

    Raises:
        ConfigError: There is none.
    """
    word = str(given).strip()
    for same in () if isinstance(given, int) else (str, str.lower):
        names = list(map(same, classes))
        if same(word) in names:
            return names.index(same(word))
    if word.isdecimal() and int(word) < len(classes):
        return int(word)
    raise ConfigError(f'There is no class {word!r}.', culprit=word, expected=(
        f'0 to {len(classes) - 1}' if word.lstrip('-').isdecimal() else ', '.join(classes)),
        fix=did_you_mean(word, classes))


def _found(model: Model, seen: NetworkInput, ids: Sequence[int], wanted: Layer, method: str,
           region: Region | None) -> Iterator[Activation]:
    """One forward pass, and a backward pass from the logits to the layer for each class."""
    net = model.net
    with torch.enable_grad(), _weights_without_gradients(net), \
            recorded(net, [wanted], leaves=True) as kept:
        logits = seen.run()
    if wanted.name not in kept:
        raise ConfigError(f'{wanted.name!r} is not run in a prediction.', culprit=wanted.name,
                          fix='segplug features --layers list shows those that are')
    logits = resize(logits, seen.size, mode='bilinear', align_corners=net.align_corners)[0].float()
    logits = logits[:, :seen.valid[0], :seen.valid[1]]
    if not logits.isfinite().all():
        raise no_number(seen.name)
    labels = _labels(net, logits.detach())
    at_image = cv2.resize(labels.cpu().numpy().astype(np.float32), seen.picture.shape[1::-1],
                          interpolation=cv2.INTER_NEAREST_EXACT).astype(np.int64)
    for class_id in ids:
        where = labels == class_id if region is None else _inside(region, seen).to(labels.device)
        if not where.any():
            raise _nowhere(model, class_id, labels)
        total = score(logits, class_id, where)
        tensor, gradient, number = _reached(wanted, kept[wanted.name], total)
        maps = [as_map(t.detach(), seen.size) for t in (tensor, gradient)]
        if maps[0] is None:
            raise ConfigError(f'{wanted.name!r} gives no map.', culprit=wanted.name,
                              got='x'.join(map(str, tensor.shape)), expected='1xCxHxW')
        found = heat(*maps, method).float().cpu().numpy()
        warm = seen.at_image_size(found / max(found.max(), 1e-30), smooth=True)
        yield Activation(seen, model.classes[class_id], class_id, warm / max(warm.max(), 1e-30),
                         at_image, int(where.sum()), total.item(),
                         f'{number} {"x".join(map(str, maps[0].shape))}', method, model.palette,
                         region)


def _reached(layer: Layer, tensors: Sequence[Tensor], total: Tensor) -> tuple[Tensor, Tensor, str]:
    """The last tensor of the layer that the score depends on, its gradient, and its name."""
    able = [(i, t) for i, t in enumerate(tensors) if t.requires_grad]
    gradients = torch.autograd.grad(total, [t for _, t in able], retain_graph=True,
                                    allow_unused=True) if able and total.requires_grad else []
    for (i, tensor), gradient in reversed(list(zip(able, gradients, strict=False))):
        if gradient is not None and gradient.any():
            number = f':{i}' if len(tensors) > 1 else ''
            return tensor, gradient, layer.name + number
    raise ConfigError(f'The logits do not depend on what {layer.name!r} gives.',
                      culprit=layer.name, fix='name another layer; segplug features --layers list '
                                              'shows all')


@contextlib.contextmanager
def _weights_without_gradients(net: nn.Module) -> Iterator[None]:
    """Inside, only what depends on recorded layers has gradients, which saves the rest."""
    before = [p for p in net.parameters() if p.requires_grad]
    for parameter in before:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in before:
            parameter.requires_grad_(True)


def _labels(net: nn.Module, logits: Tensor) -> Tensor:
    """(K, H, W) -> (H, W) class ids."""
    if len(logits) > 1:
        return labels_of(logits)
    threshold = getattr(net.main_head, 'threshold', None)
    return labels_of(probabilities(logits), 0.5 if threshold is None else threshold)


def _inside(region: Region, seen: NetworkInput) -> Tensor:
    """(h, w) bool: the cells of the network's input that a region of the image covers."""
    left, top, width, height = region
    rows, columns = seen.picture.shape[:2]
    if width < 1 or height < 1 or left < 0 or top < 0 or left + width > columns \
            or top + height > rows:
        raise ConfigError('The region is not inside the image.', got=' '.join(map(str, region)),
                          expected=f'x y width height, within {columns}x{rows} pixels')
    (bottom, right), (y, x) = (top + height, left + width), (
        np.asarray(seen.valid) / (rows, columns))
    inside = torch.zeros(seen.valid, dtype=torch.bool)
    inside[int(top * y):max(int(bottom * y), int(top * y) + 1),
           int(left * x):max(int(right * x), int(left * x) + 1)] = True
    return inside


def _nowhere(model: Model, class_id: int, labels: Tensor) -> ConfigError:
    counts = np.bincount(labels.cpu().numpy().ravel(), minlength=len(model.classes))
    there = [f'{model.classes[k]} {100 * counts[k] / counts.sum():.1f} %'
             for k in np.argsort(-counts) if counts[k]]
    return ConfigError(f'No pixel is labelled as {model.classes[class_id]!r}, so there is nothing '
                       'to explain.', culprit=model.classes[class_id], got=', '.join(there),
                       fix='choose one of these, or give --region, whose logits are taken then')


def _write(out: Path, found: Sequence[Activation], classes: Sequence[str]) -> list[Path]:
    names = file_names([*classes, 'panel'])  # a class may be called so
    pictures = {f'{names[one.class_id]}.png': one.overlay() for one in found}
    pictures['panel.png'] = grid([one.panel() for one in found], columns=1, cell=1600)
    for name, picture in pictures.items():
        with whole_file(out / name, 'wb') as file:
            file.write(encode_picture(picture))
    return [out / name for name in pictures]
