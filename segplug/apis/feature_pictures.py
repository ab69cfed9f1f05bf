"""What layers see in an image, as pictures."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..analysis.feature_maps import as_colours, max_map, mean_map, principal, strongest
from ..analysis.layers import as_map, layer_of, recorded
from ..engine.whole_file import whole_file
from ..errors import ConfigError
from ..visualization.draw import captioned, encode_picture, heat_map
from ..visualization.layers import fitted, grid
from .large import no_number
from .model import Model, Source
from .network_input import NetworkInput, layer_list, loaded, network_input

KINDS = ('mean', 'max', 'pca', 'channels')
_CELL = 320  # pixels of a picture on a sheet


@dataclass(frozen=True)
class Features:
    """What layers gave for an image.

    Attributes:
        image: What it is of.
        maps: Layer -> (C, h, w) float32; of a layer that gives several maps, 'backbone:0' ...
        top: How many channels a sheet of channels shows.
        files: What was written.
    """

    image: NetworkInput = field(repr=False)
    maps: dict[str, np.ndarray] = field(repr=False)
    top: int
    files: list[Path]

    def picture(self, layer: str, kind: str = 'pca') -> np.ndarray:
        """(H, W, 3) uint8 RGB, at the image's size.

        Args:
            layer: A key of ``maps``.
            kind: 'mean' or 'max' of the channels; 'pca', their first three principal components as
                red, green and blue; 'channels', a sheet of those that vary most.
        """
        features = self.maps[layer]
        if kind == 'channels':
            return grid([captioned(fitted(self._heat(features[c]), _CELL), f'channel {c}')
                         for c in strongest(features, self.top)], columns=3)
        if kind == 'pca':
            return self.image.at_image_size(as_colours(principal(self._valid(features))))
        return self._heat({'mean': mean_map, 'max': max_map}[kind](features))

    def overview(self) -> np.ndarray:
        """The image, then a row of mean, max and pca for each layer."""
        def small(picture: np.ndarray, text: str) -> np.ndarray:
            return captioned(fitted(picture, _CELL), text)
        cells = [small(self.image.picture, Path(self.image.name).name)]
        for layer, features in self.maps.items():
            shape = 'x'.join(map(str, features.shape))
            cells += [small(self.picture(layer, kind), f'{layer} {shape} {kind}')
                      for kind in KINDS[:3]]
        blank = [np.full_like(cells[0], 255)] * 2
        return grid([cells[0], *blank, *cells[1:]], columns=3)

    def write(self, out: str | os.PathLike, kinds: Sequence[str] = KINDS) -> list[Path]:
        """``out``/<layer>/<kind>.png for each, and ``out``/overview.png; the files."""
        pictures = {f'{_file_name(layer)}/{kind}.png': self.picture(layer, kind)
                    for layer in self.maps for kind in kinds}
        pictures['overview.png'] = self.overview()
        for name, picture in pictures.items():
            with whole_file(Path(out) / name, 'wb') as file:
                file.write(encode_picture(picture))
        return [Path(out) / name for name in pictures]

    def _heat(self, values: np.ndarray) -> np.ndarray:
        """(h, w) -> (H, W, 3); the padding has no say in the colours."""
        return self.image.at_image_size(heat_map(self._valid(values[None])[0]))

    def _valid(self, features: np.ndarray) -> np.ndarray:
        """(C, h, w) with the cells of the padding as copies of the last ones of the image."""
        height, width = (max(1, -(-n * part // whole)) for n, part, whole in zip(
            features.shape[1:], self.image.valid, self.image.size, strict=True))
        rest = [(0, 0), (0, features.shape[1] - height), (0, features.shape[2] - width)]
        return np.pad(features[:, :height, :width], rest, mode='edge')

    def __str__(self) -> str:
        shapes = [f'{layer}: {"x".join(map(str, features.shape))}'
                  for layer, features in self.maps.items()]
        return '\n'.join([f'{self.image.name}, {self.image.size[0]}x{self.image.size[1]} as the '
                          'network sees it', *shapes, *(f'Written: {p}' for p in self.files[-1:])])

    def _repr_png_(self) -> bytes:
        return encode_picture(self.overview())


def features(config: str | os.PathLike | Model, checkpoint: str | os.PathLike | None,
             image: Source, layers: Sequence[str] | str, *, out: str | os.PathLike | None = None,
             kinds: Sequence[str] = KINDS, top: int = 9, channel_order: str = 'bgr',
             device: str | None = None, options: Mapping | None = None,
             data_root: str | None = None, load: Mapping | None = None) -> Features:
    """Show what layers see in an image, which goes through the network whole, at one scale.

    Args:
        config: As for `load_model`; or a `Model`, and None as checkpoint.
        checkpoint: As for `load_model`.
        image, channel_order: One image, as for `Model.predict`.
        layers: Names of modules, 'backbone.layer4'; see `segplug.analysis.layers`.
        out: Folder for the pictures; None writes none.
        kinds: Which: 'mean', 'max', 'pca', 'channels'.
        top: How many channels to show, those that vary most.
        device, options, data_root, load: As for `load_model`.

    Raises:
        ConfigError: A layer is unknown, is not run in a prediction, or gives no map.
        DataError: The image is missing or broken, or a layer gives nan.
    """
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong or top < 1:
        raise ConfigError('There are no such pictures of features.', got=wrong or f'top={top}',
                          expected=f'{", ".join(KINDS)}; top of 1 or more')
    model = loaded(config, checkpoint, device, options, data_root, load)
    wanted = [layer_of(model.net, name) for name in
              ([layers] if isinstance(layers, str) else layers)]
    seen = network_input(model, image, channel_order)
    with torch.inference_mode(), recorded(model.net, wanted) as found:
        seen.run()
    maps = {}
    for layer in wanted:
        maps.update(_maps(layer.name, found.get(layer.name), seen))
    result = Features(seen, maps, top, [])
    if out is not None:
        result.files.extend(result.write(out, kinds))
    return result


def list_layers(config: str | os.PathLike | Model, checkpoint: str | os.PathLike | None,
                image: Source, *, device: str | None = None, options: Mapping | None = None,
                data_root: str | None = None, load: Mapping | None = None) -> str:
    """Every layer that a prediction runs: name, class, and what it gives for an image.

    Args:
        As for `features`.
    """
    model = loaded(config, checkpoint, device, options, data_root, load)
    return layer_list(model, network_input(model, image))


def _maps(name: str, tensors: Sequence[torch.Tensor] | None, seen: NetworkInput
          ) -> dict[str, np.ndarray]:
    """The maps of a layer by name, ':0' ... added where it gives several."""
    if tensors is None:
        raise ConfigError(f'{name!r} is not run in a prediction.', culprit=name,
                          fix='--layers list shows those that are')
    maps = [as_map(tensor, seen.size) for tensor in tensors]
    good = {i: m for i, m in enumerate(maps) if m is not None}
    if not good:
        shapes = ', '.join('x'.join(map(str, t.shape)) for t in tensors)
        raise ConfigError(f'{name!r} gives no map.', got=shapes or 'no tensor', culprit=name,
                          expected='1xCxHxW, or 1xLxC with as many tokens as cells')
    if not all(m.isfinite().all() for m in good.values()):
        raise no_number(f'{seen.name} in {name}')
    alone = len(maps) == 1
    return {name if alone else f'{name}:{i}': m.float().cpu().numpy() for i, m in good.items()}


def _file_name(layer: str) -> str:
    return re.sub(r'[^\w.-]', '_', layer)
