"""The base of decode heads: chooses its input levels, classifies pixels, adds up losses.

Arguments, method names and ``conv_seg`` are mmsegmentation's, so that third-party heads and
published weights fit. N batch, K classes, C channels, H W pixels.
"""

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS, TASK_UTILS
from ...structures import SegDataSample
from ..losses import accuracy, percentage


class BaseDecodeHead(BaseModule, metaclass=ABCMeta):
    """A subclass writes `forward`, which ends in `cls_seg`.

    Args:
        in_channels: Channels of the input level, or of each with ``input_transform``.
        channels: Channels before the classifier ``conv_seg``.
        num_classes: K.
        out_channels: Channels of the logits; K, or 1 for two classes by sigmoid.
        threshold: Sigmoid above which a pixel is class 1, for ``out_channels=1``; default 0.3.
        dropout_ratio: Share of channels that are dropped before the classifier.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        in_index: Which level comes in, or which ones with ``input_transform``.
        input_transform: None for one level; 'resize_concat' brings several to the size of the
            first and joins them; 'multiple_select' hands them on as a list.
        loss_decode: One loss, or several that are added up by ``loss_name``.
        ignore_index: Label of the pixels that do not count; None if all do.
        sampler: Chooses the pixels that count in the loss, e.g. by hardness.
        align_corners: For every resize of the head and of its logits.
        init_cfg: mmengine's initialisation.

    Attributes:
        in_channels: Channels of what `_transform_inputs` gives.
        test_keys: Keys of the segmentor's ``test_cfg`` that are for the head.
        labels_are_classes: Whether the data set's labels are the head's own, so that none may
            be ``num_classes`` or more. False for heads that make theirs, such as boundaries.

    Raises:
        ConfigError: For arguments that do not fit each other.
    """

    test_keys: tuple[str, ...] = ()
    labels_are_classes = True

    def __init__(self, in_channels: int | Sequence[int], channels: int, *, num_classes: int,
                 out_channels: int | None = None, threshold: float | None = None,
                 dropout_ratio: float = 0.1, conv_cfg: dict | None = None,
                 norm_cfg: dict | None = None, act_cfg: dict = dict(type='ReLU'),
                 in_index: int | Sequence[int] = -1, input_transform: str | None = None,
                 loss_decode: dict | Sequence[dict] = dict(
                     type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
                 ignore_index: int | None = 255, sampler: dict | None = None,
                 align_corners: bool = False,
                 init_cfg: dict | list | None = dict(
                     type='Normal', std=0.01, override=dict(name='conv_seg'))) -> None:
        super().__init__(init_cfg)
        self._init_inputs(in_channels, in_index, input_transform)
        self.channels = channels
        self.dropout_ratio = dropout_ratio
        self.conv_cfg, self.norm_cfg, self.act_cfg = conv_cfg, norm_cfg, act_cfg
        self.ignore_index = ignore_index
        self.align_corners = align_corners
        if num_classes < 1:
            raise ConfigError('A head tells classes.', got=f'num_classes={num_classes}',
                              expected='1 or more', culprit='num_classes')
        self.num_classes = num_classes
        self.out_channels = num_classes if out_channels is None else out_channels
        if self.out_channels != num_classes and (self.out_channels, num_classes) != (1, 2):
            raise ConfigError(
                'A head has one channel of logits per class, or one for two classes.',
                got=f'out_channels={out_channels}, num_classes={num_classes}',
                culprit='out_channels')
        self.threshold = threshold
        if self.out_channels == 1 and threshold is None:
            self.threshold = 0.3
        self._build_losses(loss_decode)
        self.sampler = None
        if sampler is not None:
            self.sampler = TASK_UTILS.build(sampler, default_args=dict(context=self))
        self.conv_seg = nn.Conv2d(channels, self.out_channels, kernel_size=1)
        self.dropout = nn.Dropout2d(dropout_ratio) if dropout_ratio > 0 else None

    def _build_losses(self, loss_decode) -> None:
        # A single loss is not wrapped in a list: its parameters keep their published names.
        if isinstance(loss_decode, Sequence):
            self.loss_decode = nn.ModuleList(MODELS.build(cfg) for cfg in loss_decode)
        else:
            self.loss_decode = MODELS.build(loss_decode)

    def _init_inputs(self, in_channels: int | Sequence[int], in_index: int | Sequence[int],
                     input_transform: str | None) -> None:
        """Which levels `_transform_inputs` chooses, and the channels of what it gives."""
        _check_inputs(in_channels, in_index, input_transform)
        self.input_transform, self.in_index = input_transform, in_index
        self.in_channels = sum(in_channels) if input_transform == 'resize_concat' else in_channels

    def _transform_inputs(self, inputs: Sequence[torch.Tensor]):
        """The level or levels that ``in_index`` names, as ``input_transform`` wants them."""
        if self.input_transform is None:
            return inputs[self.in_index]
        chosen = [inputs[i] for i in self.in_index]
        if self.input_transform == 'multiple_select':
            return chosen
        size = chosen[0].shape[2:]
        return torch.cat([resize(x, size=size, mode='bilinear',
                                 align_corners=self.align_corners) for x in chosen], dim=1)

    @abstractmethod
    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels, each (N, C, h, w) -> logits (N, K, h, w), at a size of the head's choice."""

    def cls_seg(self, feat: torch.Tensor) -> torch.Tensor:
        """(N, channels, h, w) -> logits (N, out_channels, h, w)."""
        if self.dropout is not None:
            feat = self.dropout(feat)
        return self.conv_seg(feat)

    def loss(self, inputs: Sequence[torch.Tensor], batch_data_samples: list[SegDataSample],
             train_cfg: dict | None = None) -> dict[str, torch.Tensor]:
        """Levels and samples -> each loss by name, and 'acc_seg'.

        In training the labels are padded like the images.
        """
        size = tuple(batch_data_samples[0].gt_sem_seg.data.shape[-2:])
        return self.loss_by_feat(self.logits_at(inputs, size), batch_data_samples)

    def logits_at(self, inputs: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """`forward`, for heads that must know the (H, W) of what went into the network."""
        return self.forward(inputs)

    @property
    def loss_is_of_logits(self) -> bool:
        """Whether `loss` is `loss_by_feat` of the very logits that `predict` gives."""
        return all(getattr(type(self), name) is getattr(BaseDecodeHead, name)
                   for name in ('loss', 'predict', 'predict_by_feat'))

    def loss_by_feat(self, seg_logits: torch.Tensor,
                     batch_data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        """The losses of logits of any size, at the size of the label."""
        label = self._stack_batch_gt(batch_data_samples)
        if self.sampler is None and getattr(self.loss_decode, 'takes_small_logits', False):
            return self._loss_of_small_logits(seg_logits, label.squeeze(1))
        logits = resize(seg_logits, size=label.shape[2:], mode='bilinear',
                        align_corners=self.align_corners)
        weight = None if self.sampler is None else self.sampler.sample(logits, label)
        label = label.squeeze(1)
        several = isinstance(self.loss_decode, nn.ModuleList)
        losses = {}
        for criterion in self.loss_decode if several else [self.loss_decode]:
            value = criterion(logits, label, weight=weight, ignore_index=self.ignore_index)
            name = criterion.loss_name
            losses[name] = losses[name] + value if name in losses else value
        losses['acc_seg'] = accuracy(logits, label, self.ignore_index, self.threshold)
        return losses

    def _loss_of_small_logits(self, seg_logits: torch.Tensor, label: torch.Tensor
                              ) -> dict[str, torch.Tensor]:
        """`loss_by_feat` for plain cross entropy, which needs no logits of the label's size."""
        value, num_right = self.loss_decode.of_small_logits(
            seg_logits, label, self.ignore_index, self.align_corners)
        return {self.loss_decode.loss_name: value,
                'acc_seg': percentage(num_right, label, self.ignore_index)}

    def _stack_batch_gt(self, batch_data_samples: list[SegDataSample]) -> torch.Tensor:
        """The labels as (N, 1, H, W) int64. They travel as they were read, mostly uint8."""
        return torch.stack([s.gt_sem_seg.data for s in batch_data_samples]).long()

    def predict(self, inputs: Sequence[torch.Tensor], batch_img_metas: list[dict],
                test_cfg: dict | None = None) -> torch.Tensor:
        """Levels -> logits at the head's own size, or whatever `predict_by_feat` makes of them.

        Args:
            inputs: Levels, each (N, C, h, w).
            batch_img_metas: 'img_shape' and 'pad_shape', the (H, W) that went into the network.
            test_cfg: The segmentor's.
        """
        logits = self.logits_at(inputs, tuple(batch_img_metas[0]['pad_shape']))
        return self.predict_by_feat(logits, batch_img_metas)

    def predict_by_feat(self, seg_logits: torch.Tensor,
                        batch_img_metas: list[dict]) -> torch.Tensor:
        """For subclasses that change their logits in a test.

        The logits are not resized here, unlike in mmsegmentation: the test path does it once,
        straight to the size that is wanted.
        """
        return seg_logits

    def extra_repr(self) -> str:
        return (f'input_transform={self.input_transform}, ignore_index={self.ignore_index}, '
                f'align_corners={self.align_corners}')


def _check_inputs(in_channels, in_index, input_transform) -> None:
    """Refuse input arguments that do not fit each other."""
    got = f'in_channels={in_channels}, in_index={in_index}, input_transform={input_transform!r}'
    if input_transform not in (None, 'resize_concat', 'multiple_select'):
        raise ConfigError('A head has no such input_transform.', got=repr(input_transform),
                          expected="None, 'resize_concat' or 'multiple_select'",
                          culprit='input_transform')
    if input_transform is None:
        if not (isinstance(in_channels, int) and isinstance(in_index, int)):
            raise ConfigError('Without input_transform a head takes one level.', got=got,
                              expected='one in_channels and one in_index', culprit='in_channels')
    elif (not isinstance(in_channels, Sequence) or not isinstance(in_index, Sequence)
          or len(in_channels) != len(in_index)):
        raise ConfigError('With input_transform a head takes several levels.', got=got,
                          expected='lists in_channels and in_index of one length',
                          culprit='in_channels')
