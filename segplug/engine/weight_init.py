"""``init_cfg=dict(type='Pretrained', ...)`` that says how much of the weights fitted.

mmengine's loads what matches and stays quiet when nothing does.
"""

import logging

from mmengine.logging import print_log
from mmengine.model.weight_init import PretrainedInit as _UpstreamPretrainedInit
from mmengine.model.weight_init import update_init_info
from torch import nn

from ..errors import CheckpointError
from ..registry import WEIGHT_INITIALIZERS
from .checkpoint import load_checkpoint, load_state_dict, weights_of
from .stems import adapt_stems


@WEIGHT_INITIALIZERS.register_module(name='Pretrained')
class PretrainedInit(_UpstreamPretrainedInit):
    """Lay published weights into a module.

    Stems are adapted to the module's ``in_channels``, see `stems.spread`. A module whose published
    files have other names than it has maps them by its method ``published_names``.

    Args:
        checkpoint: Path, address or name such as torchvision://resnet50.
        prefix: Part of the checkpoint to take, for example 'backbone.'.
        map_location: As in torch.load.

    Raises:
        CheckpointError: Not one name matches.
    """

    def __call__(self, module: nn.Module) -> None:
        """Change ``module`` in place."""
        weights = weights_of(load_checkpoint(self.checkpoint, self.map_location))
        if self.prefix is not None:
            weights = self._part(weights)
        if hasattr(module, 'published_names'):
            weights = module.published_names(weights)
        for name, channels in adapt_stems(module.state_dict(), weights).items():
            print_log(f'{name} of {self.checkpoint} reads 3 channels, the model {channels}: each '
                      f'of them gets 1/{channels} of the sum.', logger='current')
        coverage = load_state_dict(module, weights, self.checkpoint, floor=0.0)
        level = logging.WARNING if coverage.missing or coverage.mismatched else logging.INFO
        print_log(f'Weights from {self.checkpoint}: {coverage}.', logger='current', level=level)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=self._get_init_info())

    def _part(self, weights: dict) -> dict:
        prefix = self.prefix.rstrip('.') + '.'
        part = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        if not part:
            found = sorted({k.split('.')[0] for k in weights})
            raise CheckpointError(f'{self.checkpoint} holds nothing below {self.prefix!r}.',
                                  got=f'names below {", ".join(found[:10])}',
                                  culprit=self.prefix)
        return part
