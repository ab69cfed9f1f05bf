"""UNet, https://arxiv.org/abs/1505.04597: encoder and decoder in one backbone.

Arguments and names inside follow mmsegmentation 1.2.2 (Apache-2.0). Different: sizes that the
total stride does not divide are taken (pooling rounds up), where mmsegmentation refuses them.
"""

import torch
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import Backbone, refuse_set, start_cfg
from ..layers.up_conv import BasicConvBlock, UpConvBlock


@MODELS.register_module()
class UNet(Backbone):
    """An encoder whose stages double in width, and a decoder with one stage less.

    The defaults with ``num_stages=5`` are "UNet-S5-D16".

    Args:
        in_channels: Channels of the image.
        base_channels: Width of the first stage.
        num_stages: Stages of the encoder.
        strides: Stride of the first convolution of each stage.
        enc_num_convs, dec_num_convs: Convolutions of each stage of encoder and decoder.
        downsamples: Whether a stage after the first begins with 2x2 max-pooling; without effect
            where its stride is 2.
        enc_dilations, dec_dilations: Dilations of each stage of encoder and decoder.
        with_cp: Gradient checkpointing of every block: less memory, more time, same numbers.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        upsample_cfg: 'InterpConv' or 'DeconvModule', with their arguments.
        norm_eval: Batch norms keep their running statistics in training.
        dcn, plugins: None; they are there because published configs name them.
        pretrained: Weights by name, file or URL; short for ``init_cfg=dict(type='Pretrained')``.
        init_cfg: mmengine's initialisation; default Kaiming.

    Attributes:
        out_channels: Channels of each level that is handed out, coarsest first.
        out_strides: Its stride; H pixels become ceil(H / stride).

    Raises:
        ConfigError: For lengths that do not fit, or ``dcn`` or ``plugins``.
    """

    def __init__(self, in_channels: int = 3, base_channels: int = 64, num_stages: int = 5,
                 strides: tuple[int, ...] = (1, 1, 1, 1, 1),
                 enc_num_convs: tuple[int, ...] = (2, 2, 2, 2, 2),
                 dec_num_convs: tuple[int, ...] = (2, 2, 2, 2),
                 downsamples: tuple[bool, ...] = (True, True, True, True),
                 enc_dilations: tuple[int, ...] = (1, 1, 1, 1, 1),
                 dec_dilations: tuple[int, ...] = (1, 1, 1, 1), with_cp: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 upsample_cfg: dict = dict(type='InterpConv'), norm_eval: bool = False,
                 dcn: dict | None = None, plugins: dict | None = None,
                 pretrained: str | None = None, init_cfg: dict | list | None = None) -> None:
        _check(num_stages, dict(strides=strides, enc_num_convs=enc_num_convs,
                                enc_dilations=enc_dilations),
               dict(dec_num_convs=dec_num_convs, downsamples=downsamples,
                    dec_dilations=dec_dilations), dict(dcn=dcn, plugins=plugins))
        super().__init__(start_cfg(pretrained, init_cfg), norm_eval)
        common = dict(with_cp=with_cp, conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        widths = [base_channels * 2**i for i in range(num_stages)]
        stage_strides = []
        for i, width in enumerate(widths):
            pools = i > 0 and strides[i] == 1 and downsamples[i - 1]
            self.encoder.append(nn.Sequential(
                *[nn.MaxPool2d(2, ceil_mode=True)] * pools,
                BasicConvBlock(widths[i - 1] if i else in_channels, width, enc_num_convs[i],
                               strides[i], enc_dilations[i], **common)))
            stage_strides.append((stage_strides[-1] if i else 1) * (2 if pools else strides[i]))
            if i > 0:
                shrinks = stage_strides[i] != stage_strides[i - 1]
                self.decoder.append(UpConvBlock(
                    width, widths[i - 1], widths[i - 1], dec_num_convs[i - 1],
                    dec_dilations[i - 1], upsample_cfg=upsample_cfg if shrinks else None,
                    **common))
        self.out_channels = tuple(reversed(widths))
        self.out_strides = tuple(reversed(stage_strides))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels, each (N, out_channels[i], ceil(H / s), ...).

        The first is the end of the encoder, the others are those of the decoder.
        """
        skips = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        levels = [skips.pop()]
        for step, skip in zip(reversed(self.decoder), reversed(skips), strict=True):
            levels.append(step(skip, levels[-1]))
        return tuple(levels)


def _check(num_stages: int, per_stage: dict, per_step: dict, absent: dict) -> None:
    """Refuse constructor arguments that do not fit each other."""
    for values, length in ((per_stage, num_stages), (per_step, num_stages - 1)):
        for name, value in values.items():
            if len(value) != length:
                raise ConfigError(f'A UNet of {num_stages} stages takes {length} {name}.',
                                  got=tuple(value), expected=f'{length} values', culprit=name)
    refuse_set('UNet', absent)
