"""Where in a checkpoint the weights are: which of its dicts, below which wrapper's name.

A training of someone else's keeps them as ``state_dict``, ``model``, ``teacher`` ..., averages
beside them or not, and wrappers put ``module.`` before each name. What a file holds says which is
meant; where two would do, an error asks.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from torch import Tensor

from ..errors import CheckpointError, did_you_mean

# Keys under which programs keep a network; what else holds tensors by name is looked at only
# where there is none of these.
_CONTAINERS = (
    'state_dict', 'model_state_dict', 'model', 'model_state', 'net', 'network', 'params',
    'student', 'teacher', 'ema', 'ema_state_dict', 'state_dict_ema', 'model_ema', 'ema_model',
    'params_ema', 'net_ema', 'ema_net')
# What compilers and wrappers put before a name: never part of a segmentor's own.
_ALWAYS = ('module', '_orig_mod')
# What a program's outer module may call the network, where the model has no such part.
_WRAPPERS = ('model', 'net', 'network', 'student', 'teacher', 'ema', 'ema_model', 'model_ema',
             'segmentor', 'student_model', 'teacher_model')
_AVERAGES = re.compile(r'(^|_)ema(_|$)')
_MMCV = 'ema_'  # mmcv's EMAHook: a buffer 'ema_backbone_conv1_weight' for each parameter


def choose_weights(checkpoint: Mapping, source='the checkpoint', *, ema: bool | None = None,
                   key: str | None = None,
                   parts: Iterable[str] | None = None) -> tuple[dict, list[str]]:
    """The weights of a checkpoint by name, without what wrappers put before the names.

    Args:
        checkpoint: As it was read.
        source: Its name, for errors.
        ema: True for the averages of an EMA, False for the weights they are averages of; None
            for the averages where mmengine wrote both, and for what there is otherwise.
        key: Which of the networks, by its key or by the first part of its names: 'teacher'.
        parts: First parts of the model's names; they are not taken for wrappers. None, of no model
            in particular, leaves the names of outer modules on.

    Returns:
        The weights, and what is to be told of the choice.

    Raises:
        CheckpointError: There are none, or several and neither ``ema`` nor ``key`` chooses.
    """
    found = _containers(checkpoint)
    if not found:
        state = checkpoint.get('state_dict')
        raise CheckpointError(
            f'{source} holds no weights by name.', culprit=str(source),
            got=f'the keys {", ".join(map(str, list(checkpoint)[:8]))}' if state is None
            else f'a state_dict that is a {type(state).__name__}')
    if key is None and _is_mmengines(found):
        return _unwrapped_always(_of_mmengine(found, ema)), []
    inside = key is not None and key not in found and len(found) == 1
    name = next(iter(found)) if inside else _one(found, ema, key, source)
    notes = [f'Taken from {name!r}.'] if name not in ('', 'state_dict') else []
    weights = _unwrapped_always(found[name])
    if name and _AVERAGES.search(name):
        ema = None  # chosen
    weights, said = _below_wrapper(weights, ema, key if inside else None,
                                   None if parts is None else set(parts), source)
    return weights, notes + said


def weights_of(checkpoint: Mapping) -> dict[str, Tensor]:
    """The weights of a checkpoint for no model in particular, without ``module.``."""
    return choose_weights(checkpoint)[0]


def _tensors(state: Mapping) -> OrderedDict:
    weights = OrderedDict((str(k), v) for k, v in state.items() if isinstance(v, Tensor))
    if hasattr(state, '_metadata'):
        weights._metadata = state._metadata
    return weights


def _containers(checkpoint: Mapping) -> dict[str, dict]:
    """State dicts by key; '' is the checkpoint itself."""
    found = {key: weights for key, value in checkpoint.items()
             if isinstance(value, Mapping) and (weights := _tensors(value))}
    known = {key: found[key] for key in _CONTAINERS if key in found}
    if known:
        return known
    if own := _tensors(checkpoint):
        return {'': own}
    if 'state_dict' in checkpoint:
        return {}
    if len(found) > 1:  # one for each part of a network
        return {'': OrderedDict((f'{part}.{name}', value) for part, weights in found.items()
                                for name, value in weights.items())}
    return found


def _is_mmengines(found: dict[str, dict]) -> bool:
    return {'state_dict', 'ema_state_dict'} == set(found) and 'steps' in found['ema_state_dict']


def _of_mmengine(found: dict[str, dict], ema: bool | None) -> dict:
    """EMAHook stores the averages as the weights, and the weights as the averages."""
    if ema is not False:
        return found['state_dict']
    trained = {name.removeprefix('module.'): value
               for name, value in found['ema_state_dict'].items() if name.startswith('module.')}
    return OrderedDict((name, trained.get(name.removeprefix('module.'), value))
                       for name, value in found['state_dict'].items())


def _one(names: Iterable[str], ema: bool | None, key: str | None, source) -> str:
    """The one of several networks that is meant."""
    names = list(names)
    if key is not None:
        if key not in names:
            raise CheckpointError(f'{source} holds no network {key!r}.', culprit=key,
                                  expected=', '.join(filter(None, names)) or 'no key',
                                  fix=did_you_mean(key, names))
        return key
    averages = [name for name in names if _AVERAGES.search(name)]
    meant = names if ema is None else averages if ema else [n for n in names if n not in averages]
    if len(meant) == 1:
        return meant[0]
    if len(names) == 1 and ema:
        return names[0]  # averages may stand among the weights, see `_of_mmcv`
    if not meant:
        raise CheckpointError(f'{source} holds averaged weights alone.', culprit=str(source),
                              got=', '.join(names), fix='leave --no-ema away')
    fix = f'load_cfg=dict(key={names[0]!r}), or --weights-key {names[0]}'
    if averages and ema is None:
        fix = f'load_cfg=dict(ema=True) or False, or --ema or --no-ema; or {fix}'
    raise CheckpointError(f'{source} holds several networks, and which is meant is not said.',
                          got=', '.join(names), culprit=str(source), fix=fix)


def _unwrapped_always(weights: dict) -> OrderedDict:
    pattern = re.compile(rf'^(({"|".join(_ALWAYS)})\.)+')
    plain = OrderedDict((pattern.sub('', name), value) for name, value in weights.items())
    plain = OrderedDict((name.replace('._orig_mod.', '.'), v) for name, v in plain.items())
    if hasattr(weights, '_metadata'):
        plain._metadata = weights._metadata
    return plain


def _below_wrapper(weights: OrderedDict, ema: bool | None, key: str | None, parts: set[str] | None,
                   source) -> tuple[dict, list[str]]:
    """Take off a wrapper's name, and choose where there are two networks below such names."""
    mmcv = [name for name in weights if name.startswith(_MMCV) and '.' not in name]
    if mmcv:
        return _of_mmcv(weights, mmcv, ema)
    firsts = {}
    for name in weights:
        first = name.split('.')[0]
        firsts[first] = firsts.get(first, 0) + 1
    looked_at = [key] if key else [] if parts is None or parts & set(firsts) else _WRAPPERS
    wrappers = [w for w in looked_at if w in firsts and w not in (parts or ())]
    most = max((firsts[w] for w in wrappers), default=0)
    wrappers = [w for w in wrappers if 2 * firsts[w] >= most]
    if key is not None or wrappers:
        one = _one(wrappers or firsts, ema if len(wrappers) > 1 else None, key, source)
        others = {*wrappers, *(firsts if key else ())} - {one}
        inner = OrderedDict((name.removeprefix(f'{one}.'), value) for name, value
                            in weights.items() if name.split('.')[0] not in others)
        return _unwrapped_always(inner), [f'Taken from below {one + "."!r}.']
    if ema:
        raise CheckpointError(
            f'{source} holds no averaged weights.', culprit=str(source),
            fix="leave --ema away, or train with custom_hooks=[dict(type='EMAHook')]")
    return weights, []


def _of_mmcv(weights: OrderedDict, averages: list[str], ema: bool | None) -> tuple[dict, list]:
    """mmcv's EMAHook keeps a second set of parameters in buffers without dots in their names."""
    named = {name: weights[name] for name in averages}
    plain = OrderedDict((name, value) for name, value in weights.items() if name not in named)
    if not ema:
        note = 'It also holds a second set of weights (ema_*): --ema takes it.'
        return plain, [] if ema is False else [note]
    return OrderedDict((name, named.get(_MMCV + name.replace('.', '_'), value))
                       for name, value in plain.items()), ['The ema_* weights were taken.']
