"""The head of Fast-SCNN, https://arxiv.org/abs/1902.04502: FCN with separable convolutions."""

from mmcv.cnn import DepthwiseSeparableConvModule
from torch import nn

from ...registry import MODELS
from ..layers import extends
from .fcn_head import FCNHead


@MODELS.register_module()
class DepthwiseSeparableFCNHead(FCNHead):
    """`FCNHead`, each convolution split into one within the channels and a 1x1 across them.

    ``conv_cfg``, ``act_cfg`` and ``dilation`` hold here too; mmsegmentation passes them over.

    Args:
        dw_act_cfg: Activation between the halves of a convolution.
        Others as for `FCNHead`.
    """

    @extends(FCNHead)
    def __init__(self, dw_act_cfg: dict | None = None, **options) -> None:
        super().__init__(**options)
        if self.num_convs > 0:
            self.convs = nn.Sequential(*(self._separable(conv, dw_act_cfg)
                                         for conv in self.convs))
        if self.concat_input:
            self.conv_cat = self._separable(self.conv_cat, dw_act_cfg)

    def _separable(self, plain: nn.Module, dw_act_cfg: dict | None) -> nn.Module:
        """The separable convolution in place of a plain ConvModule."""
        return DepthwiseSeparableConvModule(
            plain.in_channels, self.channels, self.kernel_size, padding=plain.padding,
            dilation=plain.dilation, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg, dw_act_cfg=dw_act_cfg)
