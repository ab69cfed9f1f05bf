"""One image as a network sees it: what feature maps and class-activation maps begin with."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from ..analysis.layers import output_shapes
from ..errors import ConfigError
from .model import Model, Source, load_model


@dataclass(frozen=True)
class NetworkInput:
    """An image, normalised and padded as in a test at one scale, whole.

    Attributes:
        name: What it is spoken of by.
        inputs: (1, C, H', W') float, on the model's device.
        valid: (h, w) of its part that is image, at the top left.
        picture: (H, W, 3) uint8 RGB, at its own size.
        run: Calls the network with it: logits (1, K, h'', w'').
    """

    name: str
    inputs: Tensor
    valid: tuple[int, int]
    picture: np.ndarray
    run: Callable[[], Tensor]

    @property
    def size(self) -> tuple[int, int]:
        """(H', W')."""
        return self.inputs.shape[2], self.inputs.shape[3]

    def at_image_size(self, values: np.ndarray, smooth: bool = False) -> np.ndarray:
        """A map of the network's input at whatever size -> at the picture's size.

        Args:
            values: (h, w) or (h, w, 3).
            smooth: Bilinear; else each cell is a rectangle.
        """
        how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST_EXACT
        padded = cv2.resize(values, self.size[::-1], interpolation=how)
        return cv2.resize(padded[:self.valid[0], :self.valid[1]], self.picture.shape[1::-1],
                          interpolation=how)


def loaded(config: str | os.PathLike | Model, checkpoint: str | os.PathLike | None,
           device: str | None, options: Mapping | None, data_root: str | None,
           load: Mapping | None) -> Model:
    """`load_model`, or the model that is given in the place of a config."""
    if isinstance(config, Model):
        return config
    return load_model(config, checkpoint, device=device, options=options, data_root=data_root,
                      load=load)


def network_input(model: Model, image: Source, channel_order: str = 'bgr') -> NetworkInput:
    """Prepare an image.

    Args:
        model: Its pipeline and preprocessor are used.
        image, channel_order: One image, as for `Model.predict`.

    Raises:
        DataError: It is missing or broken.
        ConfigError: The segmentor has no ``encode_decode``.
    """
    net = model.net
    if not hasattr(net, 'encode_decode'):
        raise ConfigError(f'{type(net).__name__} has no encode_decode, which is looked into.',
                          culprit='model')
    packed = model.packed(image, channel_order=channel_order)
    data = net.data_preprocessor(dict(inputs=[packed.inputs], data_samples=[packed.sample]), False)
    inputs, size = data['inputs'], tuple(packed.inputs.shape[1:])
    meta = (data.get('data_samples') or [packed.sample])[0].metainfo
    left, right, top, bottom = meta.get('padding_size', (0,) * 4)
    valid = (inputs.shape[2] - top - bottom, inputs.shape[3] - left - right)
    metas = [{**meta, 'img_shape': size, 'pad_shape': tuple(inputs.shape[2:])}]
    return NetworkInput(packed.name, inputs, valid, packed.picture(),
                        lambda: net.encode_decode(inputs, metas))


@torch.no_grad()
def layer_list(model: Model, image: NetworkInput) -> str:
    """Every layer that a prediction runs, a line for each: name, class, what it gives."""
    found = output_shapes(model.net, image.run)
    rows = [(path, kind, ', '.join(_told(shapes))) for path, kind, shapes in found]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return '\n'.join(f'{path:<{widths[0]}}  {kind:<{widths[1]}}  {shapes}'
                     for path, kind, shapes in rows)


def _told(shapes: Sequence[tuple[int, ...]]) -> list[str]:
    """Each without N; of several with its number."""
    words = ['x'.join(map(str, shape[1:])) for shape in shapes]
    return words if len(words) == 1 else [f':{i} {word}' for i, word in enumerate(words)]
