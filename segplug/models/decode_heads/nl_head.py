"""Non-local networks: every pixel looks at all others, between the two convolutions.

Wang et al., https://arxiv.org/abs/1711.07971.
"""

import torch
from mmcv.cnn import NonLocal2d

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import extends
from .fcn_head import FCNHead


def check_mode(mode: str) -> None:
    """Refuse a pairwise function that non-local heads have not."""
    modes = ('embedded_gaussian', 'gaussian', 'dot_product')
    if mode not in modes:
        raise ConfigError('A non-local head has no such mode.', got=repr(mode),
                          expected=f'one of {", ".join(map(repr, modes))}', culprit='mode')


@MODELS.register_module()
class NLHead(FCNHead):
    """An `FCNHead` of two convolutions with a non-local block between them.

    Args:
        reduction: Channels of the head over those of the block's embeddings.
        use_scale: Divide the products by the root of the embeddings' channels.
        mode: The pairwise function of the paper: 'embedded_gaussian', 'gaussian' or
            'dot_product'. Its fourth, 'concatenation', cannot be trained in mmcv and is refused.
        Others as for `FCNHead`.

    Raises:
        ConfigError: For another mode.
    """

    @extends(FCNHead, without=('num_convs',))
    def __init__(self, reduction: int = 2, use_scale: bool = True,
                 mode: str = 'embedded_gaussian', **options) -> None:
        check_mode(mode)
        super().__init__(num_convs=2, **options)
        self.reduction, self.use_scale, self.mode = reduction, use_scale, mode
        self.nl_block = NonLocal2d(self.channels, reduction=reduction, use_scale=use_scale,
                                   conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, mode=mode)

    def _convolve(self, x: torch.Tensor) -> torch.Tensor:
        return self.convs[1](self.nl_block(self.convs[0](x)))
