"""Dual attention: one branch attends over positions, one over channels.

Fu et al., https://arxiv.org/abs/1809.02983. N batch, K classes, C channels, H W pixels.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, Scale
from torch import nn

from ...registry import MODELS
from ...structures import SegDataSample
from ..layers import SelfAttentionBlock, extends, full_precision
from .decode_head import BaseDecodeHead


class PAM(SelfAttentionBlock):
    """Position attention with ``channels`` in queries and keys, added to the input.

    It starts as nothing.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(
            key_in_channels=in_channels, query_in_channels=in_channels, channels=channels,
            out_channels=in_channels, share_key_query=False, query_downsample=None,
            key_downsample=None, key_query_num_convs=1, value_out_num_convs=1,
            key_query_norm=False, value_out_norm=False, matmul_norm=False, with_out=False,
            conv_cfg=None, norm_cfg=None, act_cfg=None)
        self.gamma = Scale(0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape."""
        return self.gamma(super().forward(x, x)) + x


class CAM(nn.Module):
    """Channel attention, added to the input; it starts as nothing and has no projections.

    A channel looks most at those least like it: the published code has the softmax of the
    largest product minus each, where the paper has the products themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gamma = Scale(0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape."""
        flat = x.flatten(2)
        # Sums over all pixels: float16 has no room for them, bfloat16 no digits.
        with full_precision(x):
            products = flat.float() @ flat.float().transpose(1, 2)
        out = (-products).softmax(dim=-1).to(x.dtype) @ flat
        return self.gamma(out.view_as(x)) + x


@MODELS.register_module()
class DAHead(BaseDecodeHead):
    """Position and channel branch, each with a classifier of its own in training, and their sum.

    In training `forward` gives three logits: of the sum, of positions, of channels; in a test
    those of the sum. The losses are 'pam_cam.loss_ce', 'pam.loss_ce', 'cam.loss_ce' and so on.
    Unlike in mmsegmentation all three classifiers have ``out_channels``.

    Args:
        pam_channels: Channels of queries and keys of the position attention.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, pam_channels: int, **options) -> None:
        super().__init__(**options)
        self.pam_channels = pam_channels
        self.pam_in_conv = self._conv(self.in_channels)
        self.pam = PAM(self.channels, pam_channels)
        self.pam_out_conv = self._conv(self.channels)
        self.pam_conv_seg = nn.Conv2d(self.channels, self.out_channels, kernel_size=1)
        self.cam_in_conv = self._conv(self.in_channels)
        self.cam = CAM()
        self.cam_out_conv = self._conv(self.channels)
        self.cam_conv_seg = nn.Conv2d(self.channels, self.out_channels, kernel_size=1)

    def _conv(self, in_channels: int) -> ConvModule:
        return ConvModule(in_channels, self.channels, 3, padding=1, conv_cfg=self.conv_cfg,
                          norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)

    def pam_cls_seg(self, feat: torch.Tensor) -> torch.Tensor:
        """`cls_seg` by the positions' classifier."""
        return self.pam_conv_seg(feat if self.dropout is None else self.dropout(feat))

    def cam_cls_seg(self, feat: torch.Tensor) -> torch.Tensor:
        """`cls_seg` by the channels' classifier."""
        return self.cam_conv_seg(feat if self.dropout is None else self.dropout(feat))

    def _all_logits(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        x = self._transform_inputs(inputs)
        pam = self.pam_out_conv(self.pam(self.pam_in_conv(x)))
        cam = self.cam_out_conv(self.cam(self.cam_in_conv(x)))
        return self.cls_seg(pam + cam), self.pam_cls_seg(pam), self.cam_cls_seg(cam)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Levels -> logits (N, K, h, w), or three of them in training."""
        logits = self._all_logits(inputs)
        return logits if self.training else logits[0]

    def loss(self, inputs: Sequence[torch.Tensor], batch_data_samples: list[SegDataSample],
             train_cfg: dict | None = None) -> dict[str, torch.Tensor]:
        """The losses of all three logits, in a validation as in training."""
        return self.loss_by_feat(self._all_logits(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: Sequence[torch.Tensor],
                     batch_data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        """The losses of each of the three logits, by its name."""
        losses = {}
        for name, logits in zip(('pam_cam', 'pam', 'cam'), seg_logits, strict=True):
            found = super().loss_by_feat(logits, batch_data_samples)
            losses |= {f'{name}.{key}': value for key, value in found.items()}
        return losses

    def predict_by_feat(self, seg_logits: torch.Tensor | Sequence[torch.Tensor],
                        batch_img_metas: list[dict]) -> torch.Tensor:
        """The logits of the sum, also where a head is tested in training mode."""
        return seg_logits if isinstance(seg_logits, torch.Tensor) else seg_logits[0]
