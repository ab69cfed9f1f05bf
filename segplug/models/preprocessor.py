"""From a list of uint8 images to a normalised batch, on the device.

Images travel as uint8 because that is a quarter of the bytes. The order (swap channels,
normalise, then pad at the right and the bottom) is mmsegmentation's, so padding lies in
normalised units and 0 is the mean. N batch, C channels, H W pixels.
"""

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import PixelData

from ..errors import ConfigError, ShapeError
from ..ops.views import Normalisation, pad, view
from ..registry import MODELS
from ..structures import SegDataSample


@MODELS.register_module()
class SegDataPreProcessor(BaseDataPreprocessor):
    """Moves, normalises, pads and stacks; pads labels along.

    Args:
        mean: Mean of each channel, in the order after the swap; None for no normalisation.
        std: Standard deviation, alike.
        size: (H, W) to pad to in training; a batch that is larger goes to its largest image.
        size_divisor: Pad in training to a multiple of this; not together with ``size``.
        pad_val: Value of the padding of images, in normalised units.
        seg_pad_val: Value of the padding of labels; the heads' ``ignore_index``.
        bgr_to_rgb, rgb_to_bgr: Reverse the channels of three-channel images.
        batch_augments: Callables, or configs of such, on (inputs, data_samples) in training.
        test_cfg: ``size`` or ``size_divisor`` to pad to in a test; default no padding.

    Raises:
        ConfigError: For arguments that exclude each other.
    """

    def __init__(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None,
                 size: tuple[int, int] | None = None, size_divisor: int | None = None,
                 pad_val: float = 0, seg_pad_val: int = 255, bgr_to_rgb: bool = False,
                 rgb_to_bgr: bool = False, batch_augments: Sequence | None = None,
                 test_cfg: dict | None = None) -> None:
        super().__init__(non_blocking=True)  # training batches come pinned
        if bgr_to_rgb and rgb_to_bgr:
            raise ConfigError('bgr_to_rgb and rgb_to_bgr undo each other.',
                              fix='leave one of them out', culprit='rgb_to_bgr')
        if (mean is None) != (std is None):
            raise ConfigError('Normalisation needs mean and std.', got=f'mean={mean}, std={std}',
                              culprit='std' if mean is None else 'mean')
        # Subclasses written for mmsegmentation read all of these.
        self.channel_conversion = bgr_to_rgb or rgb_to_bgr
        self.size, self.size_divisor, self.test_cfg = size, size_divisor, test_cfg
        self.pad_val, self.seg_pad_val = pad_val, seg_pad_val
        self._enable_normalize = mean is not None
        self._train_padding = _padding(size=size, size_divisor=size_divisor)
        unknown = sorted(set(test_cfg or ()) - {'size', 'size_divisor'})
        if unknown:
            raise ConfigError(f'The test_cfg of SegDataPreProcessor has no {unknown[0]!r}.',
                              expected="'size' or 'size_divisor'", culprit=unknown[0])
        self._test_padding = _padding(**(test_cfg or {}))
        self.batch_augments = [MODELS.build(a) if isinstance(a, dict) else a
                               for a in batch_augments or ()]
        # Not persistent: published checkpoints do not hold them.
        for name, value in (('mean', mean), ('std', std)):
            if value is not None:
                self.register_buffer(name, torch.tensor(value).float().view(-1, 1, 1),
                                     persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """``dict(inputs, data_samples)`` as the loader gives it -> the same, as a model takes it.

        Args:
            data: ``inputs`` N images (C, H, W) uint8 or float; ``data_samples`` N samples.
            training: Pad as in training and apply ``batch_augments``.

        Returns:
            ``inputs`` (N, C, H, W) float, ``data_samples`` with img_shape, pad_shape and
            padding_size (left, right, top, bottom) in the metainfo and, in training, with padded
            labels; a test scores them at their own size.

        Raises:
            ShapeError: The images do not fit ``mean``, or in training a label its image.
        """
        data = self.cast_data(data)
        images, samples = list(data['inputs']), data.get('data_samples')
        self._check(images)
        sizes = [tuple(img.shape[1:]) for img in images]
        target = self._target(sizes, self._train_padding if training else self._test_padding)
        if len(set(sizes)) == 1:
            inputs = self._pad(self.normalize(torch.stack(images)), target)
        else:
            inputs = torch.stack([self._pad(self.normalize(img), target) for img in images])
        for sample, size in zip(samples or (), sizes, strict=False):
            if training:
                self._pad_labels(sample, size, target)
            sample.set_metainfo(dict(
                img_shape=size, pad_shape=target,
                padding_size=(0, target[1] - size[1], 0, target[0] - size[0])))
        if training:
            for augment in self.batch_augments:
                inputs, samples = augment(inputs, samples)
        return dict(inputs=inputs, data_samples=samples)

    def prepare(self, batch: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        """One augmentation of a test: normalise and pad.

        Args:
            batch: (n, C, h, w) uint8 or float in 0..255, channels as the loader gives them.

        Returns:
            (n, C, h', w') float, and (h, w), the part of it that is image.
        """
        self._check(list(batch))
        size = (batch.shape[2], batch.shape[3])
        return self._pad(self.normalize(batch), self._target([size], self._test_padding)), size

    def views(self, img: torch.Tensor, size: tuple[int, int],
              flip: bool) -> tuple[torch.Tensor, tuple[int, int]]:
        """One augmentation of a test from the image: resize, `prepare`, all in one step.

        Args:
            img: (C, H, W) uint8 or float in 0..255, channels as the loader gives them.
            size: (h, w) to resize to.
            flip: Whether the mirror image follows as a second image.

        Returns:
            (1 or 2, C, h', w') float, and (h, w), the part of it that is image.
        """
        self._check([img])
        return view(img, size, self._target([size], self._test_padding), flip,
                    self._normalisation(img.shape[0])), size

    def padded_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(H', W') that an image of ``size`` (H, W) is padded to in a test."""
        return self._target([size], self._test_padding)

    def view_of_rows(self, rows: torch.Tensor, size: tuple[int, int],
                     flip: bool) -> torch.Tensor:
        """`views` at scale 1 of some rows of an image alone.

        Args:
            rows: (C, n, W) uint8 or float in 0..255.
            size: (n', W') to pad them to, at the right and below the last one.
            flip: Whether the mirror image follows.

        Returns:
            (1 or 2, C, n', W') float.
        """
        self._check([rows])
        return view(rows, tuple(rows.shape[1:]), size, flip, self._normalisation(rows.shape[0]))

    def _normalisation(self, channels: int) -> Normalisation:
        mean, std = (self.mean, self.std) if self._enable_normalize else (None, None)
        return Normalisation(mean, std, self.channel_conversion and channels == 3, self.pad_val)

    def normalize(self, img: torch.Tensor) -> torch.Tensor:
        """(..., C, H, W) uint8 or float -> float, channels swapped and normalised."""
        return self._normalisation(img.shape[-3])(img)

    def _check(self, images: list[torch.Tensor]) -> None:
        channels = {img.shape[0] if img.dim() == 3 else None for img in images}
        means = self.mean.numel() if self._enable_normalize else 1
        if len(channels) > 1 or None in channels or means not in (1, *channels):
            raise ShapeError(
                'The images do not fit the preprocessor.',
                got=', '.join(str(tuple(img.shape)) for img in images),
                expected=f'(C, H, W) with one C{f" = {means}, as mean has" if means > 1 else ""}',
                fix='set the color_type with which images are loaded, or mean and std')

    @staticmethod
    def _target(sizes: list[tuple[int, int]], padding: tuple[tuple[int, int], int]):
        """(H, W) that every image of a batch is padded to."""
        (height, width), divisor = padding
        height, width = max([height, *(h for h, _ in sizes)]), max([width, *(w for _, w in sizes)])
        return -(-height // divisor) * divisor, -(-width // divisor) * divisor

    def _pad(self, img: torch.Tensor, target: tuple[int, int], value=None) -> torch.Tensor:
        return pad(img, target, self.pad_val if value is None else value)

    def _pad_labels(self, sample: SegDataSample, size: tuple[int, int],
                    target: tuple[int, int]) -> None:
        """Pad every ground truth that is a map; padding a larger one would cut it."""
        for name in sample.keys():  # noqa: SIM118 (BaseDataElement is no mapping)
            field = getattr(sample, name)
            if not (name.startswith('gt_') and isinstance(field, PixelData)):
                continue
            if tuple(field.data.shape[-2:]) != size:
                raise ShapeError(
                    f'The {name} of {sample.metainfo.get("img_path", "a sample")} differs in '
                    'size from its image.', got=tuple(field.data.shape[-2:]),
                    expected=f'{size} (H, W)', fix='in training, load labels before whatever '
                    'resizes or crops the image')
            setattr(sample, name, PixelData(data=self._pad(field.data, target, self.seg_pad_val)))


def _padding(size: tuple[int, int] | None = None,
             size_divisor: int | None = None) -> tuple[tuple[int, int], int]:
    """(least size, divisor) of a padding."""
    if size is not None and size_divisor is not None:
        raise ConfigError('size and size_divisor both say what to pad to.',
                          got=f'size={size}, size_divisor={size_divisor}',
                          fix='leave one of them out', culprit='size_divisor')
    return tuple(size or (0, 0)), size_divisor or 1
