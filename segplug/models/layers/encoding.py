"""The encoding layer: what a map holds, as its residuals to a learnt dictionary.

Zhang et al., Deep TEN: Texture Encoding Network, https://arxiv.org/abs/1612.02844, section 3.
N batch, C channels, P pixels, D codewords.
"""

import torch
from torch import nn

from .attention import full_precision


def encode(x: torch.Tensor, codewords: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Residuals x_p - c_d, weighed by softmax over d of scale_d |x_p - c_d|^2, summed over p.

    The squares are multiplied out, so that no N x P x D x C residuals are held, as they are in
    mmsegmentation. The difference of large products needs single precision, autocast or not.

    Args:
        x: (N, P, C) float.
        codewords: (D, C) float.
        scale: (D,) float.

    Returns:
        (N, D, C), in the type of ``codewords``.
    """
    with full_precision(x):
        wide = torch.promote_types(codewords.dtype, torch.float32)
        x, codes = x.to(wide), codewords.to(wide)
        squares = (x.square().sum(2, keepdim=True) - 2 * (x @ codes.T)
                   + codes.square().sum(1))
        weights = (scale * squares).softmax(dim=2)
        out = weights.transpose(1, 2) @ x - weights.sum(1).unsqueeze(2) * codes
    return out.to(codewords.dtype)


class Encoding(nn.Module):
    """`encode` of a map. (N, C, H, W) -> (N, D, C).

    Args:
        channels: C.
        num_codes: D.
    """

    def __init__(self, channels: int, num_codes: int) -> None:
        super().__init__()
        self.channels, self.num_codes = channels, num_codes
        bound = (num_codes * channels) ** -0.5
        self.codewords = nn.Parameter(torch.empty(num_codes, channels).uniform_(-bound, bound))
        self.scale = nn.Parameter(torch.empty(num_codes).uniform_(-1, 0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return encode(x.flatten(2).transpose(1, 2), self.codewords, self.scale)

    def extra_repr(self) -> str:
        return f'channels={self.channels}, num_codes={self.num_codes}'
