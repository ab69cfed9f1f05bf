"""How mmsegmentation's segmentors test, step by step, for code that calls or overrides a step.

segplug's own test takes each image by itself and straight to its size; see `bridge` for when it
is this one. N batch, K classes, C channels, H W pixels.
"""

from abc import ABCMeta, abstractmethod

import torch
from mmengine.model import BaseModel
from mmengine.structures import PixelData

from ...errors import ConfigError
from ...models.segmentors import EncoderDecoder
from ...ops.resize import resize
from ...ops.windows import windows
from ...registry import MODELS
from ...structures import SegDataSample


def logits_size(meta: dict) -> tuple[int, int]:
    """(H, W) that logits are brought to, of what is known of an image in the network."""
    shape = meta['img_shape']
    if not isinstance(shape, torch.Size):  # what `slide_inference` sets
        shape = meta.get('pad_shape') or shape
    return tuple(shape[:2])


class InferenceSteps:
    """The steps, from a batch to samples with predictions."""

    def inference(self, inputs: torch.Tensor, batch_img_metas: list[dict]) -> torch.Tensor:
        """(N, C, H, W) float, and what is known of each image -> logits (N, K, H, W).

        Raises:
            ConfigError: For another mode than 'whole' and 'slide'.
        """
        mode = (self.test_cfg or {}).get('mode', 'whole')
        if mode not in ('whole', 'slide'):
            raise ConfigError('A segmentor has no such test mode.', got=repr(mode),
                              expected="'whole' or 'slide'", culprit='mode')
        method = self.slide_inference if mode == 'slide' else self.whole_inference
        return method(inputs, batch_img_metas)

    def whole_inference(self, inputs: torch.Tensor, batch_img_metas: list[dict]) -> torch.Tensor:
        """`inference` of the batch as it is."""
        return self.encode_decode(inputs, batch_img_metas)

    def slide_inference(self, inputs: torch.Tensor, batch_img_metas: list[dict]) -> torch.Tensor:
        """`inference` in windows; where they overlap, the mean of their logits counts."""
        crop, stride = self.test_cfg['crop_size'], self.test_cfg['stride']
        size = tuple(inputs.shape[2:])
        total = inputs.new_zeros(len(inputs), self.out_channels, *size)
        count = inputs.new_zeros(1, 1, *size)
        for rows, cols in windows(size, tuple(crop), tuple(stride)):
            part = (..., slice(*rows), slice(*cols))
            window = inputs[part]
            batch_img_metas[0]['img_shape'] = window.shape[2:]
            total[part] += self.encode_decode(window, batch_img_metas)
            count[part] += 1
        return total / count

    def postprocess_result(self, seg_logits: torch.Tensor,
                           data_samples: list[SegDataSample] | None = None
                           ) -> list[SegDataSample]:
        """Logits (N, K, H, W) -> samples with ``seg_logits`` and ``pred_sem_seg``.

        Padding is cut off, a mirror image turned back, and the size is ``ori_shape``, as far as
        the samples say. For K = 1 the ``seg_logits`` are probabilities.
        """
        samples = data_samples or [SegDataSample() for _ in seg_logits]
        head = getattr(self, 'main_head', None) or self.decode_head
        for logits, sample in zip(seg_logits, samples, strict=True):
            logits = _as_the_image(logits, sample.metainfo, self.align_corners)
            if len(logits) == 1:
                logits = logits.sigmoid()
                labels = (logits > head.threshold).long()
            else:
                labels = logits.argmax(dim=0, keepdim=True)
            sample.set_data(dict(seg_logits=PixelData(data=logits),
                                 pred_sem_seg=PixelData(data=labels)))
        return samples


def _as_the_image(logits: torch.Tensor, meta: dict, align_corners: bool) -> torch.Tensor:
    """(K, H, W) of the network -> (K, h, w) over the image."""
    left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', (0,) * 4))
    logits = logits[None, :, top:logits.shape[1] - bottom, left:logits.shape[2] - right]
    if meta.get('flip'):
        logits = logits.flip(dict(horizontal=3, vertical=2)[meta['flip_direction']])
    if 'ori_shape' in meta:
        logits = resize(logits, tuple(meta['ori_shape'])[:2], mode='bilinear',
                        align_corners=align_corners)
    return logits[0]


class BaseSegmentor(InferenceSteps, BaseModel, metaclass=ABCMeta):
    """The base of third-party segmentors that are no `EncoderDecoder`.

    Args:
        data_preprocessor: Usually `SegDataPreProcessor`, or its config.
        init_cfg: mmengine's initialisation.
    """

    def __init__(self, data_preprocessor: dict | None = None,
                 init_cfg: dict | list | None = None) -> None:
        if isinstance(data_preprocessor, dict):  # upstream would look in its own registry only
            data_preprocessor = MODELS.build(data_preprocessor)
        super().__init__(data_preprocessor, init_cfg)

    with_neck = EncoderDecoder.with_neck
    with_auxiliary_head = EncoderDecoder.with_auxiliary_head
    with_decode_head = EncoderDecoder.with_decode_head
    forward = EncoderDecoder.forward

    @abstractmethod
    def extract_feat(self, inputs: torch.Tensor):
        """(N, C, H, W) -> what the heads see."""

    @abstractmethod
    def encode_decode(self, inputs: torch.Tensor, batch_img_metas: list[dict]) -> torch.Tensor:
        """(N, C, H, W) -> logits (N, K, H, W)."""

    @abstractmethod
    def loss(self, inputs: torch.Tensor,
             data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        """A batch and its samples -> each loss by name."""

    @abstractmethod
    def predict(self, inputs: torch.Tensor,
                data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """A batch -> its samples with predictions."""

    @abstractmethod
    def _forward(self, inputs: torch.Tensor,
                 data_samples: list[SegDataSample] | None = None) -> torch.Tensor:
        """A batch -> logits as the network gives them."""


BaseSegmentor.register(EncoderDecoder)
