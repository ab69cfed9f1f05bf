"""Other programs' names for weights, as ours: one table of small pure functions.

Which map is meant is read off the names in the file. A map is taken where it fits more of the
model than the names as they are; where two do, an error asks.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from torch import Tensor

from ...errors import CheckpointError, did_you_mean
from . import official, torchvision

__all__ = ['KEY_MAPS', 'NO_MAP', 'KeyMap', 'translate']

Weights = dict[str, Tensor]
NO_MAP = 'none'


@dataclass(frozen=True)
class KeyMap:
    """One program's names.

    Attributes:
        of: What it is, in words.
        knows: Whether names are of this program.
        rename: The weights under our names; what has no place keeps its own.
        note: What is different all the same.
    """

    of: str
    knows: Callable[[Collection[str]], bool]
    rename: Callable[[Weights], Weights]
    note: str = ''


KEY_MAPS: dict[str, KeyMap] = {
    'torchvision-fcn': KeyMap("torchvision's FCN", torchvision.is_fcn, torchvision.fcn),
    'torchvision-deeplabv3': KeyMap(
        "torchvision's DeepLabV3", torchvision.is_deeplabv3, torchvision.deeplabv3,
        'Its head is built otherwise than an ASPPHead and has no place here.'),
    'torchvision-mobilenet-v2': KeyMap(
        "torchvision's MobileNetV2", torchvision.is_mobilenet_v2, torchvision.mobilenet_v2),
    'torchvision-mobilenet-v3': KeyMap(
        "torchvision's MobileNetV3", torchvision.is_mobilenet_v3, torchvision.mobilenet_v3,
        'It pads convolutions of stride 2 on both sides, ours at the far end first: train on, '
        'the features are not the same.'),
    'torchvision-densenet': KeyMap(
        'the published DenseNets', torchvision.is_old_densenet, torchvision.old_densenet),
    'timm-deep-stem': KeyMap(
        "timm's ResNets with a deep stem", torchvision.is_deep_stem, torchvision.deep_stem),
    'pidnet': KeyMap("the authors' PIDNet", official.is_pidnet, official.pidnet),
    'ddrnet': KeyMap("the authors' DDRNet", official.is_ddrnet, official.ddrnet),
    'hrnet': KeyMap("the authors' HRNet", official.is_hrnet, official.hrnet),
    'stdc': KeyMap("the authors' STDC", official.is_stdc, official.stdc),
}


def translate(weights: Weights, model_names: Collection[str], source,
              key_map: str | None = None) -> tuple[Weights, list[str]]:
    """Weights under the model's names, where a map or another root brings them there.

    Args:
        weights: By the names in the file.
        model_names: Those of the model.
        source: The file's name, for errors.
        key_map: Name of the map, 'none' for none; None finds it.

    Returns:
        The weights, and what is to be told of them.

    Raises:
        CheckpointError: There is no such map, or two fit as well.
    """
    model_names = set(model_names)
    plain, notes = _rooted(weights, model_names)
    found = {'': (_fits(plain, model_names), plain, notes)}
    for name in _candidates(weights, source, key_map):
        known = KEY_MAPS[name]
        renamed, notes = _rooted(known.rename(weights), model_names)
        said = f'The names of {known.of} were translated (key map {name!r}).'
        found[name] = (_fits(renamed, model_names), renamed,
                       [f'{said} {known.note}'.rstrip(), *notes])
    if key_map not in (None, NO_MAP):
        return found[key_map][1:]
    most = max(fits for fits, _, _ in found.values())
    best = [name for name, (fits, _, _) in found.items() if fits == most]
    if '' not in best and len(best) > 1:
        raise CheckpointError(f'{source} has names that two key maps know.', got=', '.join(best),
                              culprit=str(source),
                              fix=f'load_cfg=dict(key_map={best[0]!r}), or --key-map {best[0]}')
    return found['' if '' in best else best[0]][1:]


def _candidates(weights: Weights, source, key_map: str | None) -> list[str]:
    if key_map == NO_MAP:
        return []
    if key_map is None:
        return [name for name, known in KEY_MAPS.items() if known.knows(weights)]
    if key_map not in KEY_MAPS:
        names = [*KEY_MAPS, NO_MAP]
        raise CheckpointError(f'There is no key map {key_map!r}.', expected=', '.join(names),
                              culprit=key_map, fix=did_you_mean(key_map, names))
    if not KEY_MAPS[key_map].knows(weights):
        raise CheckpointError(f'{source} does not have the names of {KEY_MAPS[key_map].of}.',
                              got=', '.join(list(weights)[:3]) + ' ...', culprit=key_map,
                              fix='leave the key map away')
    return [key_map]


def _fits(names: Collection[str], model_names: set[str]) -> int:
    return sum(name in model_names for name in names)


def _rooted(weights: Weights, model_names: set[str]) -> tuple[Weights, list[str]]:
    """A backbone's weights for a segmentor, or a segmentor's for a backbone or what wraps it.

    Only where no name fits as it is.
    """
    if _fits(weights, model_names):
        return weights, []
    root = 'backbone.'
    for prefix in (root, 2 * root, 'module.'):
        below = {prefix + name: value for name, value in weights.items()}
        if _fits(below, model_names):
            return below, [f'The names were looked for below {prefix!r} of the model.']
    for prefix in (2 * root, root):
        inner = {name.removeprefix(prefix): value for name, value in weights.items()
                 if name.startswith(prefix)}
        if _fits(inner, model_names):
            return inner, [f'The names below {prefix!r} of the file were taken.']
    return weights, []
