"""ICNet: the image at full, half and quarter size through ever deeper networks.

Zhao et al., https://arxiv.org/abs/1704.08545. Module names are those of mmsegmentation 1.2.2,
under which published weights are stored.
"""

from functools import partial

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import PPM, start_cfg


@MODELS.register_module()
class ICNet(BaseModule):
    """The encoders of ICNet; `ICNeck` fuses what they give.

    Half and quarter size share one ResNet: its last two stages work on the map of the first
    two, halved, rather than on an image of their own.

    Args:
        backbone_cfg: A ResNet with deep stem (ResNetV1c, ResNetV1d), dilated to output stride 8.
        in_channels: Channels of the image.
        layer_channels: Channels of its second and fourth stage.
        light_branch_middle_channels: Width of the three convolutions at full size.
        psp_out_channels: Width of the pyramid pooling at quarter size.
        out_channels: Channels of the three levels.
        pool_scales: Cells along each side of the pyramid pooling.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        align_corners: For the halving and the pyramid.
        init_cfg: mmengine's initialisation; default Kaiming.

    Attributes:
        out_channels: Channels of each level.
        out_strides: (8, 16, 32), with an encoder of output stride 8. Max-pooling keeps an
            incomplete window and an odd size is halved downwards, as in the published models:
            the second and third level may miss ceil(H / stride) by a pixel.

    Raises:
        ConfigError: For an encoder without deep stem.
    """

    def __init__(self, backbone_cfg: dict, in_channels: int = 3,
                 layer_channels: tuple[int, int] = (512, 2048),
                 light_branch_middle_channels: int = 32, psp_out_channels: int = 512,
                 out_channels: tuple[int, int, int] = (64, 256, 256),
                 pool_scales: tuple[int, ...] = (1, 2, 3, 6), conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True),
                 act_cfg: dict = dict(type='ReLU'), align_corners: bool = False,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(start_cfg(None, init_cfg))
        self.align_corners = align_corners
        self.backbone = MODELS.build(backbone_cfg)
        if not hasattr(self.backbone, 'stem'):
            raise ConfigError('ICNet needs an encoder with deep stem.', got=backbone_cfg['type'],
                              expected='ResNetV1c or ResNetV1d', culprit='backbone_cfg')
        self.backbone.maxpool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        cfgs = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        conv = partial(ConvModule, **cfgs)
        deep, mid = layer_channels[1], light_branch_middle_channels
        self.psp_modules = PPM(pool_scales, deep, psp_out_channels, align_corners=align_corners,
                               **cfgs)
        self.psp_bottleneck = conv(deep + len(pool_scales) * psp_out_channels, psp_out_channels,
                                   3, padding=1)
        widths = (in_channels, mid, mid, out_channels[0])
        self.conv_sub1 = nn.Sequential(*(
            conv(cin, cout, 3, stride=2, padding=1)
            for cin, cout in zip(widths, widths[1:], strict=False)))
        self.conv_sub2 = conv(layer_channels[0], out_channels[1], 1)
        self.conv_sub4 = conv(psp_out_channels, out_channels[2], 1)
        self.out_channels, self.out_strides = tuple(out_channels), (8, 16, 32)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(N, C, H, W) float, normalised -> levels of full, half and quarter size, shrunk by 8."""
        net = self.backbone
        half = net.layer2(net.layer1(net.maxpool(net.stem(self._halved(x)))))
        quarter = net.layer4(net.layer3(self._halved(half)))
        quarter = self.psp_bottleneck(torch.cat([*self.psp_modules(quarter), quarter], dim=1))
        return self.conv_sub1(x), self.conv_sub2(half), self.conv_sub4(quarter)

    def _halved(self, x: torch.Tensor) -> torch.Tensor:
        # A factor is not the same as a size: the pixels keep their distance where a size is odd.
        how = dict(scale_factor=0.5) if min(x.shape[2:]) > 1 else dict(
            size=tuple(max(side // 2, 1) for side in x.shape[2:]))
        return resize(x, **how, mode='bilinear', align_corners=self.align_corners)
