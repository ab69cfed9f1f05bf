"""Learning rates that fall from the output of a network to its input, by layer or by stage.

As BEiT, MAE and ConvNeXt are fine-tuned: Bao et al., BEiT, arXiv 2106.08254, appendix; Liu et al.,
A ConvNet for the 2020s, arXiv 2201.03545, appendix A. Names and arguments are mmsegmentation's. A
group's rate is lr * decay_rate ** distance; biases and norms have no weight decay.
"""

import warnings
from collections.abc import Callable
from functools import partial

from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from ..errors import ConfigError
from ..registry import OPTIM_WRAPPER_CONSTRUCTORS

# Parameters of a backbone that come before its first layer.
_FIRST = ('backbone.cls_token', 'backbone.mask_token', 'backbone.pos_embed')
# Stage of a ConvNeXt -> the layer of its downsampling; the last one's is the deepest.
_DOWNSAMPLING = {0: 0, 1: 2, 2: 3}
# Blocks of a ConvNeXt's third stage that make one layer.
_BLOCKS = 3


class UnknownLayers(ConfigError, NotImplementedError):
    """Nothing is known of the order of a backbone's layers."""


def get_layer_id_for_convnext(var_name: str, max_layer_id: int) -> int:
    """0 for what comes first in a ConvNeXt, up to ``max_layer_id``; one more for all else.

    >>> [get_layer_id_for_convnext(f'backbone.stages.{i}.4.gamma', 12) for i in range(4)]
    [1, 2, 4, 12]
    """
    if var_name in _FIRST:
        return 0
    parts = var_name.split('.')
    if var_name.startswith('backbone.downsample_layers.'):
        return _DOWNSAMPLING.get(int(parts[2]), max_layer_id)
    if var_name.startswith('backbone.stages.'):
        return (1, 2, 3 + int(parts[3]) // _BLOCKS, max_layer_id)[int(parts[2])]
    return max_layer_id + 1


def get_stage_id_for_convnext(var_name: str, max_stage_id: int) -> int:
    """0 for what comes before the stages of a ConvNeXt, i + 1 for stage i, the last for all else.

    >>> get_stage_id_for_convnext('backbone.stages.3.0.gamma', 8)
    4
    >>> get_stage_id_for_convnext('decode_head.conv_seg.weight', 8)
    7
    """
    if var_name in _FIRST or var_name.startswith('backbone.downsample_layers.'):
        return 0
    if var_name.startswith('backbone.stages.'):
        return int(var_name.split('.')[2]) + 1
    return max_stage_id - 1


def get_layer_id_for_vit(var_name: str, max_layer_id: int) -> int:
    """0 for what a vision transformer embeds patches with, i + 1 for layer i, the last else.

    >>> get_layer_id_for_vit('backbone.layers.3.norm.weight', 14)
    4
    >>> get_layer_id_for_vit('decode_head.conv_seg.weight', 14)
    13
    """
    if var_name in _FIRST or var_name.startswith('backbone.patch_embed'):
        return 0
    if var_name.startswith('backbone.layers.'):
        return int(var_name.split('.')[2]) + 1
    return max_layer_id - 1


def numbering(backbone: str, decay_type: str, num_layers: int) -> Callable[[str], int]:
    """What gives a parameter's name its layer, from 0 to ``num_layers`` + 1.

    Args:
        backbone: Name of the class.
        decay_type: One that holds 'layer_wise', or 'stage_wise'.
        num_layers: Layers of the backbone, as its users count them.

    Raises:
        UnknownLayers: For another class or type.
    """
    if 'layer_wise' in decay_type and 'ConvNeXt' in backbone:
        return partial(get_layer_id_for_convnext, max_layer_id=num_layers)
    if 'layer_wise' in decay_type and any(kind in backbone for kind in ('BEiT', 'MAE')):
        return partial(get_layer_id_for_vit, max_layer_id=num_layers + 2)
    if decay_type == 'stage_wise' and 'ConvNeXt' in backbone:
        return partial(get_stage_id_for_convnext, max_stage_id=num_layers + 2)
    raise UnknownLayers(f'The layers of {backbone} have no known order for {decay_type!r}.',
                        expected="'layer_wise' of a backbone called ConvNeXt, BEiT or MAE, or "
                                 "'stage_wise' of a ConvNeXt", culprit=decay_type,
                        fix='set lr_mult by paramwise_cfg=dict(custom_keys=...)')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LearningRateDecayOptimizerConstructor(DefaultOptimWrapperConstructor):
    """The rate of a layer is that of the one behind it times ``decay_rate``.

    ``paramwise_cfg`` holds ``num_layers``, ``decay_rate`` and ``decay_type``, 'layer_wise' by
    default or 'stage_wise'. Each group tells its factor as ``lr_scale``.

    Raises:
        ConfigError: One of the first two is missing.
        UnknownLayers: The order of the backbone's layers is not known.
    """

    def add_params(self, params: list[dict], module: nn.Module, **kwargs) -> None:
        """Put one group per layer, with weight decay or without, into ``params``."""
        num_layers, rate = (self._setting(name) for name in ('num_layers', 'decay_rate'))
        layer_of = numbering(type(module.backbone).__name__,
                             self.paramwise_cfg.get('decay_type', 'layer_wise'), num_layers)
        groups: dict[str, dict] = {}
        for name, param in module.named_parameters():
            if not param.requires_grad:
                continue
            decays = param.ndim != 1 and not name.endswith('.bias') \
                and name not in ('pos_embed', 'cls_token')
            layer = layer_of(name)
            key = f'layer_{layer}_{"decay" if decays else "no_decay"}'
            scale = rate ** (num_layers + 1 - layer)
            group = groups.setdefault(key, dict(
                weight_decay=self.base_wd if decays else 0.0, params=[], param_names=[],
                lr_scale=scale, group_name=key, lr=scale * self.base_lr))
            group['params'].append(param)
            group['param_names'].append(name)
        for key, group in groups.items():
            print_log(f'{key}: lr {group["lr"]:g}, weight decay {group["weight_decay"]}, '
                      f'{len(group["params"])} parameters', 'current')
        params.extend(groups.values())

    def _setting(self, name: str) -> float:
        if name not in self.paramwise_cfg:
            raise ConfigError(f'{type(self).__name__} needs {name}.', culprit='paramwise_cfg',
                              got=dict(self.paramwise_cfg),
                              expected='paramwise_cfg=dict(num_layers=12, decay_rate=0.9)')
        return self.paramwise_cfg[name]


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimizerConstructor(LearningRateDecayOptimizerConstructor):
    """The older name of `LearningRateDecayOptimizerConstructor`, for ``layer_decay_rate``."""

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict) -> None:
        warnings.warn('LayerDecayOptimizerConstructor is LearningRateDecayOptimizerConstructor, '
                      'and its layer_decay_rate is decay_rate', DeprecationWarning, stacklevel=2)
        settings = dict(paramwise_cfg)
        if 'layer_decay_rate' in settings:
            settings['decay_rate'] = settings.pop('layer_decay_rate')
        super().__init__(optim_wrapper_cfg, settings)
