"""The head of EncNet: channels gated by what the whole image holds, which a loss asks for too.

Zhang et al., Context Encoding for Semantic Segmentation, https://arxiv.org/abs/1803.08904.
N batch, K classes, C channels, H W pixels, D codewords.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule, build_norm_layer
from torch import nn

from ...ops.masks import valid_mask
from ...ops.resize import resize
from ...registry import MODELS
from ...structures import SegDataSample
from ..layers import Encoding, extends
from .decode_head import BaseDecodeHead


class EncModule(nn.Module):
    """The mean residual of the image to D codewords, and the map gated by it.

    Args:
        in_channels: C.
        num_codes: D.
        conv: Makes a `ConvModule` from channels in, channels out and kernel size.
        norm_cfg: Its one-dimensional kind normalises the codewords; None stands for batch norm.
    """

    def __init__(self, in_channels: int, num_codes: int, conv: Callable[..., nn.Module],
                 norm_cfg: dict | None) -> None:
        super().__init__()
        self.encoding_project = conv(in_channels, in_channels, 1)
        norm_cfg = dict(norm_cfg or dict(type='BN'))
        kind = norm_cfg['type'].replace('2d', '1d')
        norm_cfg['type'] = f'{kind}1d' if kind in ('BN', 'IN') else kind
        self.encoding = nn.Sequential(Encoding(in_channels, num_codes),
                                      build_norm_layer(norm_cfg, num_codes)[1],
                                      nn.ReLU(inplace=True))
        self.fc = nn.Sequential(nn.Linear(in_channels, in_channels), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, H, W) -> the image's code (N, C), and the gated map (N, C, H, W)."""
        code = self.encoding(self.encoding_project(x)).mean(dim=1)
        return code, F.relu(x + x * self.fc(code)[..., None, None])


def classes_present(label: torch.Tensor, num_classes: int,
                    ignore_index: int | None) -> torch.Tensor:
    """Which classes an image holds.

    Args:
        label: (N, ...) int64 in [0, K) or ignore. A single class, K = 1, is the label 1.

    Returns:
        (N, K) int64: 1 or 0, or -1 throughout for an image without a pixel that counts.
    """
    valid = valid_mask(label, ignore_index)
    columns = max(num_classes, 2)
    found = label.new_zeros(len(label), columns + 1)
    found = found.scatter_(1, label.where(valid, columns).flatten(1), 1)[:, :columns]
    return found[:, -num_classes:].where(valid.flatten(1).any(1, keepdim=True), -1)


@MODELS.register_module()
class EncHead(BaseDecodeHead):
    """A 3x3 convolution of the last level, possibly with the others beside it, and `EncModule`.

    Args:
        num_codes: D.
        use_se_loss: Whether to train with the semantic encoding loss 'loss_se': which classes
            are there, told from the image's code. An image without a labelled pixel says nothing
            (in mmsegmentation, that no class is there).
        add_lateral: Whether the other levels take part.
        loss_se_decode: That loss. It gets logits (N, 1, K) and labels (N, K) of 0, 1 and, for
            images that do not count, -1.
        Others as for `BaseDecodeHead`; ``in_channels`` and ``in_index`` are lists.
    """

    @extends(BaseDecodeHead, without=('input_transform',))
    def __init__(self, num_codes: int = 32, use_se_loss: bool = True, add_lateral: bool = False,
                 loss_se_decode: dict = dict(
                     type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.2),
                 **options) -> None:
        super().__init__(input_transform='multiple_select', **options)
        self.use_se_loss, self.add_lateral, self.num_codes = use_se_loss, add_lateral, num_codes
        conv = partial(ConvModule, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                       act_cfg=self.act_cfg)
        *others, last = self.in_channels
        self.bottleneck = conv(last, self.channels, 3, padding=1)
        if add_lateral:
            self.lateral_convs = nn.ModuleList(conv(width, self.channels, 1) for width in others)
            self.fusion = conv(len(self.in_channels) * self.channels, self.channels, 3, padding=1)
        self.enc_module = EncModule(self.channels, num_codes, conv, self.norm_cfg)
        if use_se_loss:
            self.loss_se_decode = MODELS.build(loss_se_decode)
            self.se_layer = nn.Linear(self.channels, self.num_classes)

    def _encoded(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Levels -> the image's code (N, channels), and logits (N, K, H, W)."""
        *others, last = self._transform_inputs(inputs)
        feat = self.bottleneck(last)
        if self.add_lateral:
            laterals = [resize(conv(level), size=feat.shape[2:], mode='bilinear',
                               align_corners=self.align_corners)
                        for conv, level in zip(self.lateral_convs, others, strict=True)]
            feat = self.fusion(torch.cat([feat, *laterals], dim=1))
        code, feat = self.enc_module(feat)
        return code, self.cls_seg(feat)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, H, W), at the size of the last level."""
        return self._encoded(inputs)[1]

    def loss(self, inputs: Sequence[torch.Tensor], batch_data_samples: list[SegDataSample],
             train_cfg: dict | None = None) -> dict[str, torch.Tensor]:
        """The losses of the logits, and 'loss_se'."""
        code, logits = self._encoded(inputs)
        losses = self.loss_by_feat(logits, batch_data_samples)
        if self.use_se_loss:
            present = classes_present(self._stack_batch_gt(batch_data_samples),
                                      self.num_classes, self.ignore_index)
            losses['loss_se'] = self.loss_se_decode(self.se_layer(code).unsqueeze(1), present,
                                                    ignore_index=-1)
        return losses
