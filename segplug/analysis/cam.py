"""Class-activation maps: where in a layer the evidence for a class lies.

For segmentation the score is the sum of the class's logits over some pixels, all that were
labelled so or a region (Seg-Grad-CAM; Vinogradova, Dibrov and Myers, "Towards Interpretable
Semantic Segmentation via Gradient-weighted Class Activation Mapping", AAAI 2020). A layer's
activations a (C, h, w), and the gradients g of the score with respect to them, give a map:

=========== ==================================================================================
gradcam     relu(sum_c mean(g_c) a_c)                            Selvaraju et al., ICCV 2017
gradcam++   the same with weights sum(alpha_c relu(g_c)), where  Chattopadhay et al., WACV 2018
            alpha = g^2 / (2 g^2 + sum(a_c) g^3), 0 where g is 0
xgradcam    weights sum(g_c a_c) / sum(a_c)                      Fu et al., BMVC 2020
hirescam    relu(sum_c g_c a_c), cell by cell                    Draelos et al., 2020
layercam    relu(sum_c relu(g_c) a_c)                            Jiang et al., TIP 2021
=========== ==================================================================================

The first three weigh a whole channel, and so also show evidence that lies far from the pixels.
Letters: K classes, C channels, H W pixels, h w cells.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import ConfigError, ShapeError, did_you_mean


def _gradcam(a: Tensor, g: Tensor) -> Tensor:
    return _weighted(a, g.mean((1, 2)))


def _gradcam_plus(a: Tensor, g: Tensor) -> Tensor:
    below = 2 * g ** 2 + a.sum((1, 2), keepdim=True) * g ** 3
    alpha = torch.where((g != 0) & (below != 0), g ** 2 / torch.where(below != 0, below, 1), 0)
    return _weighted(a, (alpha * g.relu()).sum((1, 2)))


def _xgradcam(a: Tensor, g: Tensor) -> Tensor:
    sums = a.sum((1, 2))
    return _weighted(a, (g * a).sum((1, 2)) / torch.where(sums != 0, sums, 1))


def _hirescam(a: Tensor, g: Tensor) -> Tensor:
    return (g * a).sum(0).relu()


def _layercam(a: Tensor, g: Tensor) -> Tensor:
    return (g.relu() * a).sum(0).relu()


def _weighted(a: Tensor, weights: Tensor) -> Tensor:
    return torch.einsum('c,chw->hw', weights, a).relu()


METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'gradcam': _gradcam, 'gradcam++': _gradcam_plus, 'xgradcam': _xgradcam,
    'hirescam': _hirescam, 'layercam': _layercam}


def heat(activations: Tensor, gradients: Tensor, method: str = 'gradcam') -> Tensor:
    """Where the evidence for a score lies.

    Args:
        activations: (C, h, w) float, what a layer gave.
        gradients: (C, h, w) float, of the score with respect to them.
        method: One of `METHODS`.

    Returns:
        (h, w) float64 >= 0, in units of the score; 0 everywhere if nothing speaks for it.

    Raises:
        ConfigError: There is no such method.
        ShapeError: The two differ in shape, or are no maps.
    """
    if method not in METHODS:
        raise ConfigError('There is no such method of activation maps.', got=repr(method),
                          culprit=method, expected=', '.join(METHODS),
                          fix=did_you_mean(method, METHODS))
    if activations.ndim != 3 or activations.shape != gradients.shape:
        raise ShapeError('Activations and gradients are no pair of maps.',
                         got=f'{tuple(activations.shape)} and {tuple(gradients.shape)}',
                         expected='(C, h, w) twice')
    return METHODS[method](activations.double(), gradients.double())


def score(logits: Tensor, class_id: int, where: Tensor) -> Tensor:
    """The sum of a class's logits over some pixels, () float.

    Args:
        logits: (K, H, W) float; of a binary model (1, H, W), where class 0 is their opposite.
        class_id: In [0, K).
        where: (H, W) bool.
    """
    plane = logits[class_id] if len(logits) > 1 else logits[0] if class_id else -logits[0]
    return (plane * where).sum()
