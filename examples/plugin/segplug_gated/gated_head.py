"""GatedHead: one convolution whose channels are weighed by the image's own average.

The gate is squeeze-and-excitation (Hu et al., CVPR 2018, equations 2-4).
"""

import torch.nn as nn
from mmcv.cnn import ConvModule
from torch import Tensor

from segplug.models.decode_heads.decode_head import BaseDecodeHead
from segplug.registry import MODELS


@MODELS.register_module()
class GatedHead(BaseDecodeHead):
    """3x3 convolution, channel gate, classifier.

    Args:
        in_channels: Channels of the feature map it reads (``in_index`` says which).
        channels: Channels of the convolution.
        num_classes: K.
        reduction: The gate's hidden layer has ``channels // reduction`` units.
        in_index: Which of the backbone's feature maps to read.
        norm_cfg: Normalisation of the convolution.
        loss_decode: Loss, or list of losses.
    """

    def __init__(self, in_channels: int, channels: int, *, num_classes: int, reduction: int = 4,
                 in_index: int = -1, norm_cfg: dict | None = None, align_corners: bool = False,
                 loss_decode=dict(type='CrossEntropyLoss')) -> None:
        super().__init__(in_channels, channels, num_classes=num_classes, in_index=in_index,
                         norm_cfg=norm_cfg, align_corners=align_corners, loss_decode=loss_decode)
        self.conv = ConvModule(in_channels, channels, 3, padding=1, norm_cfg=norm_cfg)
        self.gate = nn.Sequential(
            nn.Linear(channels, channels // reduction), nn.ReLU(),
            nn.Linear(channels // reduction, channels), nn.Sigmoid())

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Feature maps, N C_i h_i w_i each, to logits (N, K, h, w)."""
        x = self.conv(self._transform_inputs(inputs))
        weights = self.gate(x.mean(dim=(2, 3)))
        return self.cls_seg(x * weights[:, :, None, None])
