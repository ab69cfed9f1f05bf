"""Parts of a backbone that do not train: frozen stages, and batch norms of small batches."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze(*modules: nn.Module) -> None:
    """Neither the parameters nor the running statistics of ``modules`` move any more."""
    for module in modules:
        module.eval()
        module.requires_grad_(False)


def norms_to_eval(module: nn.Module) -> None:
    """Batch norms in ``module`` normalise by their running statistics and keep them."""
    for norm in module.modules():
        if isinstance(norm, _BatchNorm):
            norm.eval()
