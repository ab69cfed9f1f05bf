"""The segmentor: backbone, optional neck, decode head, auxiliary heads for training.

Attribute and method names, and the names of the losses, are mmsegmentation's. Different is
the test: `tta.predict_image` takes each image by itself, so that no result depends on what
shares its batch, and there is one path for one or many augmentations, whole or sliding.
"""

from collections.abc import Callable, Iterator

import torch
from mmengine.model import BaseModel
from mmengine.structures import PixelData
from torch import nn

from ...errors import ConfigError, DataError
from ...ops.masks import begin_check
from ...registry import MODELS
from ...structures import SegDataSample
from .. import val_loss
from ..tta import TestCfg, predict_image
from ..tta_rows import Band, predict_rows


@MODELS.register_module()
class EncoderDecoder(BaseModel):
    """Encoder and decoder.

    Args:
        backbone: Image -> levels.
        decode_head: Levels -> logits; what is tested.
        neck: Levels -> levels.
        auxiliary_head: A head, or a list of heads, whose losses are added in training.
        train_cfg: Handed to the heads' ``loss``.
        test_cfg: The fields of `tta.TestCfg`: mode, crop_size, stride, scales, flip ...
        data_preprocessor: Usually `SegDataPreProcessor`.
        pretrained: Weights of the backbone by name, file or URL.
        init_cfg: mmengine's initialisation.

    Attributes:
        with_val_losses: Whether `val_step` gives each sample its ``losses``; `ValLossHook` sets
            it for the time of a validation.

    Raises:
        ConfigError: For an unknown key of ``test_cfg``, or two settings of ``pretrained``.
    """

    def __init__(self, backbone: dict, decode_head: dict, neck: dict | None = None,
                 auxiliary_head: dict | list[dict] | None = None, train_cfg: dict | None = None,
                 test_cfg: dict | None = None, data_preprocessor: dict | nn.Module | None = None,
                 pretrained: str | None = None, init_cfg: dict | list | None = None) -> None:
        if isinstance(data_preprocessor, dict):  # upstream would look in its own registry only
            data_preprocessor = MODELS.build(data_preprocessor)
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if pretrained is not None:
            if backbone.get('pretrained') is not None:
                raise ConfigError('The segmentor and its backbone both set pretrained.',
                                  fix='leave one of them out', culprit='pretrained')
            backbone = {**backbone, 'pretrained': pretrained}
        self.backbone = MODELS.build(backbone)
        if neck is not None:
            self.neck = MODELS.build(neck)
        self._init_decode_head(decode_head)
        self._init_auxiliary_head(auxiliary_head)
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        of_head = getattr(self.main_head, 'test_keys', ())
        self.tta_cfg = TestCfg.from_dict({key: value for key, value in (test_cfg or {}).items()
                                          if key not in of_head})
        self.with_val_losses = False
        self._tape: val_loss.Tape | None = None

    def _init_decode_head(self, decode_head: dict) -> None:
        self.decode_head = MODELS.build(decode_head)
        self.align_corners = self.decode_head.align_corners
        self.num_classes = self.decode_head.num_classes
        self.out_channels = self.decode_head.out_channels

    @property
    def main_head(self) -> nn.Module:
        """The head that is tested."""
        return self.decode_head

    def _init_auxiliary_head(self, auxiliary_head: dict | list[dict] | None) -> None:
        if isinstance(auxiliary_head, (list, tuple)):
            self.auxiliary_head = nn.ModuleList(MODELS.build(cfg) for cfg in auxiliary_head)
        elif auxiliary_head is not None:
            self.auxiliary_head = MODELS.build(auxiliary_head)

    @property
    def with_neck(self) -> bool:
        return getattr(self, 'neck', None) is not None

    @property
    def with_auxiliary_head(self) -> bool:
        return getattr(self, 'auxiliary_head', None) is not None

    @property
    def with_decode_head(self) -> bool:
        return getattr(self, 'decode_head', None) is not None

    def forward(self, inputs: torch.Tensor, data_samples: list[SegDataSample] | None = None,
                mode: str = 'tensor'):
        """(N, C, H, W) float, normalised -> losses, samples with predictions, or logits.

        Args:
            inputs: What the preprocessor gives.
            data_samples: N samples; with labels for 'loss'.
            mode: 'loss', 'predict' or 'tensor'.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self._forward(inputs, data_samples)
        raise ConfigError('A segmentor has no such mode.', got=repr(mode),
                          expected="'loss', 'predict' or 'tensor'")

    def extract_feat(self, inputs: torch.Tensor):
        """(N, C, H, W) -> the levels that the heads see."""
        levels = self.backbone(inputs)
        return self.neck(levels) if self.with_neck else levels

    def encode_decode(self, inputs: torch.Tensor, batch_img_metas: list[dict]) -> torch.Tensor:
        """(N, C, H, W) -> logits (N, K, h, w) at the head's own size."""
        return self.decode(self.extract_feat(inputs), batch_img_metas)

    def decode(self, levels, batch_img_metas: list[dict]) -> torch.Tensor:
        """What the heads see -> logits (N, K, h, w)."""
        return self.decode_head.predict(levels, batch_img_metas, self.test_cfg)

    def _forward(self, inputs: torch.Tensor,
                 data_samples: list[SegDataSample] | None = None) -> torch.Tensor:
        return self.decode_head.forward(self.extract_feat(inputs))

    def _auxiliary_heads(self) -> dict[str, nn.Module]:
        """Each auxiliary head by the prefix of its losses."""
        if not self.with_auxiliary_head:
            return {}
        if isinstance(self.auxiliary_head, nn.ModuleList):
            return {f'aux_{i}': head for i, head in enumerate(self.auxiliary_head)}
        return {'aux': self.auxiliary_head}

    def _heads(self) -> dict[str, nn.Module]:
        """Every head that trains, by the prefix of its losses."""
        return {'decode': self.decode_head, **self._auxiliary_heads()}

    def loss(self, inputs: torch.Tensor,
             data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        """Each loss of each head, named 'decode.loss_ce', 'aux.loss_ce', 'aux_0.loss_ce' ...

        Raises:
            DataError: If a sample has no label, or one that holds a value that is neither a class
                nor ignored.
            ConfigError: If a batch norm gets a single value per channel.
        """
        finish_check = self._check_labels(data_samples)
        try:
            levels = self.extract_feat(inputs)
            finish_check()  # here a GPU still has the backbone to compute, and need not wait
            return self._losses(inputs, data_samples, levels)
        except ValueError as error:
            if 'more than 1 value per channel' not in str(error):
                raise
            raise ConfigError(
                'Batch norm cannot train on one value per channel, and pooling a whole image '
                'leaves one.', got=f'a batch of {len(inputs)} in this process: {error}',
                fix='set batch_size of train_dataloader to 2 or more and drop_last=True, or use '
                    "another norm, such as norm_cfg=dict(type='GN', num_groups=32)",
                culprit='batch_size') from error

    def _losses(self, inputs: torch.Tensor, data_samples: list[SegDataSample],
                levels) -> dict[str, torch.Tensor]:
        """`loss`, once the labels are checked and the levels known."""
        return {**self._decode_head_forward_train(levels, data_samples),
                **self._auxiliary_head_forward_train(levels, data_samples)}

    def _decode_head_forward_train(self, inputs, data_samples: list[SegDataSample]
                                   ) -> dict[str, torch.Tensor]:
        """Levels and samples -> the losses of what is tested, by prefixed name."""
        return self._losses_of({'decode': self.decode_head}, inputs, data_samples)

    def _auxiliary_head_forward_train(self, inputs, data_samples: list[SegDataSample]
                                      ) -> dict[str, torch.Tensor]:
        """Levels and samples -> the losses of the auxiliary heads, by prefixed name."""
        return self._losses_of(self._auxiliary_heads(), inputs, data_samples)

    def _has_own_losses(self) -> bool:
        """Whether a class from elsewhere trains otherwise, so that it has to validate so too."""
        names = ('loss', '_decode_head_forward_train', '_auxiliary_head_forward_train')
        return not all(getattr(type(self), name).__module__.startswith(__package__)
                       for name in names)

    def _losses_of(self, heads: dict[str, nn.Module], levels,
                   data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        return {f'{prefix}.{name}': value for prefix, head in heads.items()
                for name, value in head.loss(levels, data_samples, self.train_cfg).items()}

    def _check_labels(self, data_samples: list[SegDataSample]) -> Callable[[], None]:
        """The guard of the losses, which would end in a CUDA assert instead: `begin_check`."""
        names = [s.metainfo.get('seg_map_path') or s.metainfo.get('img_path') or f'sample {i}'
                 for i, s in enumerate(data_samples)]
        for name, sample in zip(names, data_samples, strict=True):
            if 'gt_sem_seg' not in sample:
                raise DataError(f'{name} comes to the training without a label.',
                                fix='put LoadAnnotations into the pipeline of train_dataloader')
        # A head from elsewhere may tell several sets of classes, or none.
        told = [getattr(head, 'num_classes', None) for head in self._heads().values()
                if getattr(head, 'labels_are_classes', True)]
        num_classes = [max(num, 2) for num in told if isinstance(num, int)]
        if not num_classes or len(num_classes) < len(told):
            return lambda: None
        return begin_check(torch.stack([s.gt_sem_seg.data for s in data_samples]),
                           min(num_classes), getattr(self.main_head, 'ignore_index', 255), names)

    def val_step(self, data: dict) -> list[SegDataSample]:
        """The same as `test_step`, and each sample's ``losses`` if ``with_val_losses`` is set."""
        if not self.with_val_losses:
            return self.test_step(data)
        return [self._val_one({key: value[i:i + 1] for key, value in data.items()})
                for i in range(len(data['inputs']))]

    @torch.no_grad()
    def _val_one(self, data: dict) -> SegDataSample:
        """`test_step` of one image, and its losses, from one forward pass where that will do."""
        self._tape = val_loss.Tape() if val_loss.one_pass(self.tta_cfg) else None
        try:
            sample, = self.test_step(data)
        finally:
            tape, self._tape = self._tape, None
        if 'gt_sem_seg' in sample:
            self._check_labels([sample])()
            losses = ((lambda inputs, known, tape: self.loss(inputs, [known]))
                      if self._has_own_losses() else self._val_losses)
            sample.losses = val_loss.image_losses(self, data['inputs'][0], sample, tape, losses)
        return sample

    def _val_losses(self, inputs: torch.Tensor, sample: SegDataSample,
                    tape: val_loss.Tape) -> dict[str, torch.Tensor]:
        """The losses of (1, C, H, W), from what the tape knows of it where that will do."""
        return val_loss.head_losses(self, inputs, sample, tape, self._heads())

    def test_step(self, data: dict) -> list[SegDataSample]:
        """A batch from the loader -> its samples with predictions.

        The raw images go to the device; every augmentation is then resized, normalised and
        padded there. A preprocessor of another kind, without ``prepare``, does its work first.
        """
        prepare = getattr(self.data_preprocessor, 'prepare', None)
        if prepare is None:
            return super().test_step(data)
        data = self.data_preprocessor.cast_data(data)
        images = data['inputs']
        samples = data.get('data_samples') or [SegDataSample() for _ in images]
        views = getattr(self.data_preprocessor, 'views', None)
        return [self._predict_one(img, sample, prepare, views)
                for img, sample in zip(images, samples, strict=True)]

    def predict(self, inputs: torch.Tensor,
                data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """The predictions for images that are normalised and padded already.

        Args:
            inputs: (N, C, H, W) float.
            data_samples: N samples whose metainfo may hold padding_size (left, right, top,
                bottom), which is cut off first, and ori_shape.

        Returns:
            The samples, with ``pred_sem_seg`` (1, H, W) at ``ori_shape`` and, if
            ``test_cfg.save_logits``, with ``seg_logits`` (K, H, W): logits of one
            augmentation, mean probabilities of several.
        """
        samples = data_samples or [SegDataSample() for _ in inputs]
        return [self._predict_one(_without_padding(img, sample), sample, _as_it_is)
                for img, sample in zip(inputs, samples, strict=True)]

    @torch.no_grad()
    def _predict_one(self, img: torch.Tensor, sample: SegDataSample, prepare: Callable,
                     views: Callable | None = None) -> SegDataSample:
        """``img`` (C, H, W) -> ``sample`` with its prediction."""
        result = predict_image(
            self._logits, img, tuple(sample.metainfo.get('ori_shape', img.shape[1:]))[:2],
            self.tta_cfg, prepare=prepare, align_corners=self.align_corners,
            out_channels=self.out_channels, threshold=self.main_head.threshold, views=views)
        sample.pred_sem_seg = PixelData(data=result.labels[None])
        sample.pred_is_finite = result.is_finite
        scores = result.probs if result.logits is None else result.logits
        if scores is not None:
            sample.seg_logits = PixelData(data=scores)
        return sample

    def predict_rows(self, read: Callable[[int, int], torch.Tensor],
                     size: tuple[int, int], cfg: TestCfg | None = None) -> Iterator[Band]:
        """Label an image too large to be held, in windows, from the top down.

        Args:
            read: (first, one past last) row -> these rows of the image, (C, n, W) uint8 or float
                in 0..255 on the device.
            size: (H, W) of the image.
            cfg: How to test; None is ``test_cfg``.

        Yields:
            Bands of rows with the labels that `predict` gives.

        Raises:
            ConfigError: The test is not in windows at one scale, or the preprocessor is of
                another kind.
        """
        preprocessor, cfg = self.data_preprocessor, cfg or self.tta_cfg
        if not hasattr(preprocessor, 'view_of_rows'):
            raise ConfigError(f'{type(preprocessor).__name__} prepares whole images only.',
                              expected='SegDataPreProcessor', culprit='data_preprocessor')
        padded = preprocessor.padded_size(size)

        def inputs(top: int, bottom: int) -> torch.Tensor:
            rows = read(min(top, size[0] - 1), min(bottom, size[0]))
            return preprocessor.view_of_rows(rows, (bottom - top, padded[1]), cfg.flip)

        return predict_rows(self._logits, inputs, size, padded, cfg,
                            out_channels=self.out_channels, align_corners=self.align_corners,
                            threshold=self.main_head.threshold)

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        """(n, C, h, w) -> logits (n, K, h', w'), for `predict_image`."""
        tape = self._tape
        if tape is None:
            return self.encode_decode(x, val_loss.metas(x))
        tape.inputs = x
        # A class or a speed setting may have put another function in its place.
        if getattr(self.encode_decode, '__func__', None) is EncoderDecoder.encode_decode:
            tape.levels = self.extract_feat(x)
            tape.logits = self.decode(tape.levels, val_loss.metas(x))
        else:
            tape.logits = self.encode_decode(x, val_loss.metas(x))
        return tape.logits


def _without_padding(img: torch.Tensor, sample: SegDataSample) -> torch.Tensor:
    """``img`` (C, H, W) without the padding that the metainfo speaks of."""
    meta = sample.metainfo
    left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', (0,) * 4))
    return img[:, top:img.shape[1] - bottom, left:img.shape[2] - right]


def _as_it_is(batch: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
    """The ``prepare`` of images that are prepared already."""
    return batch, (batch.shape[2], batch.shape[3])
