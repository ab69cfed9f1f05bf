"""PIDNet: a branch for detail (P), one for context (I) and one for boundaries (D).

Xu et al., https://arxiv.org/abs/2206.02066. Module names are those of mmsegmentation 1.2.2,
under which published weights are stored. Different from there: all three levels come out in a
test as well as in training, images need not be multiples of 8, and ``norm_cfg`` and ``act_cfg``
reach every layer.
"""

from functools import partial

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

from ...ops.resize import resize
from ...registry import MODELS
from ..layers import DAPPM, KAIMING, PAPPM, BranchBlock, branch_stage, branch_stem


class _PixelAttention(BaseModule):
    """Pag: where P and I agree, take I, elsewhere P.

    How alike they are is a sum of products, which random weights make hundreds large. Where it is
    near 0 the gate turns over with the last digit of a weight: in bf16 single pixels move by most
    of their value, as they do in float32 with weights of bf16. A gate in float32 does not help.
    """

    def __init__(self, in_channels: int, channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.f_i = ConvModule(in_channels, channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        self.f_p = ConvModule(in_channels, channels, 1, norm_cfg=norm_cfg, act_cfg=None)

    def forward(self, p: torch.Tensor, i: torch.Tensor) -> torch.Tensor:
        """(N, C, h, w) and a smaller (N, C, h', w') -> (N, C, h, w)."""
        alike = (self.f_p(p) * _up(self.f_i(i), p)).sum(dim=1, keepdim=True).sigmoid()
        return alike * _up(i, p) + (1 - alike) * p


class _Bag(BaseModule):
    """Bag: P at boundaries and I elsewhere, convolved. For PIDNet-L."""

    def __init__(self, channels: int, norm_cfg: dict, act_cfg: dict) -> None:
        super().__init__()
        self.conv = ConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg,
                               act_cfg=act_cfg, order=('norm', 'act', 'conv'))

    def forward(self, p: torch.Tensor, i: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
        boundary = d.sigmoid()
        return self.conv(boundary * p + (1 - boundary) * i)


class _LightBag(BaseModule):
    """Light-Bag: the same by two 1x1 convolutions. For PIDNet-S and -M."""

    def __init__(self, channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.f_p = ConvModule(channels, channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        self.f_i = ConvModule(channels, channels, 1, norm_cfg=norm_cfg, act_cfg=None)

    def forward(self, p: torch.Tensor, i: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
        boundary = d.sigmoid()
        return self.f_p((1 - boundary) * i + p) + self.f_i(i + boundary * p)


@MODELS.register_module()
class PIDNet(BaseModule):
    """PIDNet, https://arxiv.org/abs/2206.02066.

    Args:
        in_channels: Channels of the image.
        channels: C, the base width: 32 for S, 64 for M and L.
        ppm_channels: Channels of each scale of the pyramid pooling: 96, 96, 112.
        num_stem_blocks: Blocks of the stem's and of P's stages: 2, 2, 3. With 2 the network has
            the lighter pooling, fusion and D branch.
        num_branch_blocks: Blocks of I's stages: 3, 3, 4.
        align_corners: For the resizes where the branches meet.
        norm_cfg, act_cfg: As everywhere in mmcv.
        init_cfg: Published weights; what they do not hold has Kaiming's initialisation.

    Attributes:
        out_channels: (2 C, 4 C, 2 C): P after the first fusion, the result, D before its last
            stage. The first and the third are for the auxiliary losses.
        out_strides: (8, 8, 8).
    """

    def __init__(self, in_channels: int = 3, channels: int = 64, ppm_channels: int = 96,
                 num_stem_blocks: int = 2, num_branch_blocks: int = 3,
                 align_corners: bool = False, norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 init_cfg: dict | None = None) -> None:
        super().__init__([*KAIMING, *([] if init_cfg is None else [init_cfg])])
        self.align_corners = align_corners
        c, light = channels, num_stem_blocks == 2
        cfgs = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        conv = partial(ConvModule, norm_cfg=norm_cfg, act_cfg=None)
        options = dict(shortcut=lambda cin, cout, stride: conv(cin, cout, 1, stride=stride),
                       **cfgs)
        stage = partial(branch_stage, **options)
        self.stem = branch_stem(in_channels, c, num_stem_blocks, **options)
        self.i_branch_layers = nn.ModuleList([
            stage(2 * c, 4 * c, num_branch_blocks, 2), stage(4 * c, 8 * c, num_branch_blocks, 2),
            stage(8 * c, 8 * c, 2, 2, bottleneck=True)])
        self.p_branch_layers = nn.ModuleList([
            stage(2 * c, 2 * c, num_stem_blocks), stage(2 * c, 2 * c, num_stem_blocks),
            stage(2 * c, 2 * c, 1, bottleneck=True)])
        self.compression_1, self.compression_2 = conv(4 * c, 2 * c, 1), conv(8 * c, 2 * c, 1)
        self.pag_1, self.pag_2 = (_PixelAttention(2 * c, c, norm_cfg) for _ in range(2))
        block = partial(BranchBlock, bottleneck=False, act_out=False, **options)
        width = c if light else 2 * c
        self.d_branch_layers = nn.ModuleList([
            block(2 * c, width),
            stage(c, c, 1, bottleneck=True) if light else block(2 * c, 2 * c),
            stage(2 * c, 2 * c, 1, bottleneck=True)])
        self.diff_1 = conv(4 * c, width, 3, padding=1)
        self.diff_2 = conv(8 * c, 2 * c, 3, padding=1)
        self.spp = (PAPPM if light else DAPPM)(16 * c, ppm_channels, 4 * c, num_scales=5, **cfgs)
        self.dfm = _LightBag(4 * c, norm_cfg) if light else _Bag(4 * c, norm_cfg, act_cfg)
        self.out_channels, self.out_strides = (2 * c, 4 * c, 2 * c), (8, 8, 8)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(N, C, H, W) float, normalised -> P, result and D, of stride 8."""
        i = p = d = self.stem(x)
        kept = []
        for n, (compression, pag, diff) in enumerate((
                (self.compression_1, self.pag_1, self.diff_1),
                (self.compression_2, self.pag_2, self.diff_2))):
            i = self.i_branch_layers[n](i).relu()
            p = pag(self.p_branch_layers[n](p), compression(i))
            d = self.d_branch_layers[n](d)
            d = d + _up(diff(i), d, self.align_corners)
            kept.append((p, d))
            p, d = p.relu(), d.relu()
        p, d = self.p_branch_layers[2](p), self.d_branch_layers[2](d)
        i = _up(self.spp(self.i_branch_layers[2](i)), p, self.align_corners)
        return kept[0][0], self.dfm(p, i, d), kept[1][1]


def _up(x: torch.Tensor, like: torch.Tensor, align_corners: bool = False) -> torch.Tensor:
    return resize(x, size=like.shape[2:], mode='bilinear', align_corners=align_corners)
