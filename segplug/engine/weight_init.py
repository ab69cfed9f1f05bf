"""``init_cfg=dict(type='Pretrained', ...)`` that says how much of the weights fitted.

mmengine's loads what matches and stays quiet when nothing does.
"""

from mmengine.logging import print_log
from mmengine.model.weight_init import PretrainedInit as _UpstreamPretrainedInit
from mmengine.model.weight_init import update_init_info
from torch import nn

from ..errors import CheckpointError
from ..registry import WEIGHT_INITIALIZERS
from .checkpoint import load_checkpoint
from .loading import INIT_FLOOR, LoadCfg, find_weights, lay
from .stems import adapt_stems


@WEIGHT_INITIALIZERS.register_module(name='Pretrained')
class PretrainedInit(_UpstreamPretrainedInit):
    """Lay published weights into a module.

    Stems are adapted to the module's ``in_channels``, see `stems.spread`; names of other programs
    are translated, see `key_maps`.

    Args:
        checkpoint: Path, address or name such as torchvision://resnet50.
        prefix: Part of the checkpoint to take, for example 'backbone.'.
        map_location: As in torch.load.
        load_cfg: How the file is read, see `loading.LoadCfg`; by default it must cover half of
            the module.

    Raises:
        CheckpointError: It covers less.
    """

    def __init__(self, checkpoint: str, prefix: str | None = None, map_location: str = 'cpu',
                 load_cfg: dict | None = None) -> None:
        super().__init__(checkpoint, prefix, map_location)
        self.load_cfg = LoadCfg.from_dict(load_cfg)

    def __call__(self, module: nn.Module) -> None:
        """Change ``module`` in place."""
        cfg, prefix = self.load_cfg, f'{self.prefix.rstrip(".")}.' if self.prefix else ''
        state = module.state_dict()
        weights, notes = find_weights(
            load_checkpoint(self.checkpoint, self.map_location),
            {prefix + name: value for name, value in state.items()}, self.checkpoint, cfg)
        if prefix:
            weights = self._part(weights, prefix)
        for name, channels in adapt_stems(state, weights).items():
            notes.append(f'{name} reads 3 channels in the file, {channels} in the model: each of '
                         f'them gets 1/{channels} of the sum.')
        coverage = lay(module, weights, self.checkpoint,
                       INIT_FLOOR if cfg.floor is None else cfg.floor, notes, strict=cfg.strict)
        print_log(f'Weights from {coverage}', logger='current', level=coverage.log_level)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=self._get_init_info())

    def _part(self, weights: dict, prefix: str) -> dict:
        part = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        if not part:
            found = sorted({k.split('.')[0] for k in weights})
            raise CheckpointError(f'{self.checkpoint} holds nothing below {self.prefix!r}.',
                                  got=f'names below {", ".join(found[:10])}',
                                  culprit=self.prefix)
        return part
