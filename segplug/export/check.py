"""Whether a file gives what the model gives: other sizes, other batches, noise and scenes.

The model is asked by its own way to predict, one image after the other. N batch, K classes,
C channels, H W pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..errors import CheckpointError, ConfigError, SegplugError
from ..models.tta import TestCfg
from ..structures import SegDataSample
from .graph import network_order, normalisation_of, num_channels, threshold_of
from .settings import Settings

TOLERANCE = 1e-3  # of the largest logit


@dataclass(frozen=True)
class Check:
    """One input, and how far the file is from the model.

    Attributes:
        batch, height, width: Of the input.
        difference: The largest of any logit; of labels, the largest by which the model prefers
            another class.
        largest: The largest absolute logit of the model.
        differing: Share of the pixels whose label differs, in [0, 1].
    """

    batch: int
    height: int
    width: int
    difference: float
    largest: float
    differing: float


def cases(settings: Settings, multiple: int = 1) -> list[tuple[int, tuple[int, int], str]]:
    """(N, (H, W), kind of image) of each input that a file is tried with."""
    several = 3 if settings.batch else 1
    height, width = settings.shape
    second, third = settings.shape, settings.shape
    if settings.dynamic:  # smaller with odd sides, and upright
        second = _sides((int(0.62 * height) | 1, int(0.55 * width) | 1), multiple)
        third = _sides((int(1.3 * height) + 2, int(0.45 * width) + 3), multiple)
    return [(1, settings.shape, 'scene'), (several, second, 'noise'), (1, third, 'scene')]


def _sides(size: tuple[int, int], multiple: int) -> tuple[int, int]:
    return tuple(max(side // multiple, 1) * multiple for side in size)


def images(number: int, batch: int, channels: int, size: tuple[int, int],
           kind: str) -> np.ndarray:
    """(N, C, H, W) uint8: noise of every pixel, or scenes of smooth colours and edges."""
    generator = torch.Generator().manual_seed(number)
    shape = (batch, channels, *size)
    if kind == 'noise':
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8).numpy()
    coarse = torch.rand(batch, channels, 5, 7, generator=generator)
    smooth = F.interpolate(coarse, size, mode='bilinear', align_corners=False)
    blocks = F.interpolate(torch.rand(batch, channels, 9, 6, generator=generator), size)
    fine = torch.rand(shape, generator=generator)
    return (255 * (0.5 * smooth + 0.4 * blocks + 0.1 * fine)).to(torch.uint8).numpy()


@dataclass(frozen=True)
class Model:
    """The model as the file's example.

    Attributes:
        net: The segmentor.
        settings: Of the file.
    """

    net: nn.Module
    settings: Settings

    def input_of(self, pixels: np.ndarray) -> np.ndarray:
        """(N, C, H, W) uint8, three channels as BGR -> what the file takes."""
        if not self.settings.with_preprocess:
            return self._normal(pixels).numpy()
        if pixels.shape[1] == 3 and self.settings.channel_order == 'rgb':
            pixels = pixels[:, ::-1]
        if self.settings.layout == 'NHWC':
            pixels = pixels.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(pixels)

    def _normal(self, pixels: np.ndarray) -> torch.Tensor:
        """Normalised, and not padded."""
        tensor = torch.from_numpy(np.ascontiguousarray(pixels))
        if not hasattr(self.net.data_preprocessor, 'padded_size'):
            return (tensor.float() - 127.5) / 64
        reverse = num_channels(self.net) == 3 and network_order(self.net) == 'rgb'
        return normalisation_of(self.net, reverse)(tensor)

    @torch.inference_mode()
    def logits(self, pixels: np.ndarray) -> torch.Tensor:
        """(N, C, H, W) uint8 -> (N, K, h, w) float, what the model says.

        Raises:
            CheckpointError: It is no number.
        """
        find = self._upsampled if self.settings.at_image_size else self._of_head
        found = torch.stack([find(one[None]) for one in pixels])
        if not found.isfinite().all():
            raise CheckpointError('The model gives nan or infinite values, which cannot be '
                                  'compared.', fix='export another checkpoint')
        return found

    def _of_head(self, pixels: np.ndarray) -> torch.Tensor:
        if self.settings.with_preprocess:
            x, _ = self.net.data_preprocessor.prepare(torch.from_numpy(pixels.copy()))
        else:
            x = self._normal(pixels)
        size = tuple(x.shape[2:])
        return self.net.encode_decode(
            x, [dict(ori_shape=size, img_shape=size, pad_shape=size)])[0]

    def _upsampled(self, pixels: np.ndarray) -> torch.Tensor:
        size = pixels.shape[2:]
        sample = SegDataSample(metainfo=dict(ori_shape=size, img_shape=size))
        before = self.net.tta_cfg
        self.net.tta_cfg = TestCfg(save_logits=True)
        try:
            if self.settings.with_preprocess:
                done, = self.net.test_step(dict(inputs=[torch.from_numpy(pixels[0].copy())],
                                                data_samples=[sample]))
            else:
                done, = self.net.predict(self._normal(pixels), [sample])
        finally:
            self.net.tta_cfg = before
        return done.seg_logits.data


def compared(found: np.ndarray, logits: torch.Tensor, settings: Settings,
             threshold: float) -> Check:
    """How far what a file gave is from the logits of the model."""
    batch, classes, height, width = logits.shape
    largest = float(logits.abs().max())
    shape = (batch, height, width) if settings.argmax else tuple(logits.shape)
    if tuple(found.shape) != shape:
        return Check(batch, height, width, float('inf'), largest, 1.)
    given = torch.from_numpy(np.asarray(found))
    wanted = _labels(logits, threshold)
    if settings.argmax:
        given = given.long()
        lost = _lost(logits, given, wanted, threshold)
    else:
        lost = (given - logits).abs()
        given = _labels(given, threshold)
    difference = float(lost.max()) if lost.isfinite().all() else float('inf')
    return Check(batch, height, width, difference, largest,
                 float((given != wanted).float().mean()))


def _labels(logits: torch.Tensor, threshold: float) -> torch.Tensor:
    return (logits[:, 0] > threshold).long() if logits.shape[1] == 1 else logits.argmax(1)


def _lost(logits: torch.Tensor, given: torch.Tensor, wanted: torch.Tensor,
          threshold: float) -> torch.Tensor:
    """(N, H, W): by how much the model prefers its own label to the one given."""
    classes = logits.shape[1]
    if given.min() < 0 or given.max() >= max(classes, 2):
        return torch.tensor(float('inf'))
    if classes == 1:
        return (logits[:, 0] - threshold).abs() * (given != wanted)
    best = logits.gather(1, wanted[:, None])
    return (best - logits.gather(1, given[:, None]))[:, 0]


def check(net: nn.Module, run: Callable[[np.ndarray], np.ndarray], settings: Settings,
          multiple: int = 1) -> list[Check]:
    """Run the file and the model on equal images.

    Args:
        net: The segmentor.
        run: The file, in its runtime.
        settings: What it was made for.
        multiple: What sides have to be a multiple of.

    Raises:
        ConfigError: They differ, or the file fails.
    """
    model, found = Model(net, settings), []
    channels, threshold = num_channels(net), threshold_of(net)
    for number, (batch, size, kind) in enumerate(cases(settings, multiple)):
        pixels = images(number, batch, channels, size, kind)
        logits = _asked(model, pixels)
        given = _run(run, model.input_of(pixels), settings)
        one = compared(given, logits, settings, threshold)
        found.append(replace(one, height=size[0], width=size[1]))
        refuse(found[-1], settings)
    return found


def refuse_shape(net: nn.Module, settings: Settings) -> None:
    """Raise a ConfigError where it is the model that takes no image of this shape."""
    _asked(Model(net, settings), images(0, 1, num_channels(net), settings.shape, 'scene'))


def _asked(model: Model, pixels: np.ndarray) -> torch.Tensor:
    try:
        return model.logits(pixels)
    except SegplugError:
        raise
    except Exception as error:  # a network may raise whatever it likes
        raise ConfigError(
            f'The model itself fails for an image of {"x".join(map(str, pixels.shape[2:]))}.',
            got=_told(error), culprit='shape', fix='give another --shape H W') from error


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1][-300:]


def _run(run: Callable, image: np.ndarray, settings: Settings) -> np.ndarray:
    try:
        return run(image)
    except Exception as error:  # a runtime has errors of its own, of no common type
        raise ConfigError(
            f'The {settings.format} file fails for an input of '
            f'{"x".join(map(str, image.shape))}, and is not kept.', got=_told(error),
            fix=settings.away or 'take another --format') from error


def refuse(one: Check, settings: Settings) -> None:
    """Raise a ConfigError for a file that gives something else."""
    if one.difference > TOLERANCE * one.largest:
        raise ConfigError(
            f'The {settings.format} file does not give what the model gives, and is not kept.',
            got=f'logits differ by {one.difference:.3g} of {one.largest:.3g}, and '
                f'{100 * one.differing:.2f} % of the labels, for {one.batch} image(s) of '
                f'{one.height}x{one.width}',
            expected=f'at most {TOLERANCE:g} of the largest logit',
            fix=settings.away or 'take another --format')
