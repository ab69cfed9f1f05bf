"""Laying the weights of a file into a model, whoever wrote it: found, translated, counted.

What of the model a file must cover is a share of its parameters, the floor: all that a test
computes with, half of a module that is initialised, a quarter where a training starts from it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace

from torch import Tensor, nn

from ..errors import CheckpointError, ConfigError, did_you_mean
from .containers import choose_weights
from .coverage import Coverage, compare, nearest_prefix
from .key_maps import KEY_MAPS, NO_MAP, translate

TEST_FLOOR, INIT_FLOOR, TRAIN_FLOOR = 1.0, 0.5, 0.25
NOT_TESTED = ('auxiliary_head.',)  # what a test does not compute


@dataclass(frozen=True)
class LoadCfg:
    """The config's ``load_cfg``: how the weights of a test, or of ``load_from``, are read.

    Attributes:
        floor: The least share of the model's parameters that the file must hold, 0..1; None for
            the default of the command.
        strict: Whether every name of the model must be in the file and the other way round.
        ema: True for the averages of an EMA, False for the weights they are averages of.
        key: Which of several networks in the file: 'teacher'.
        key_map: Whose names the file has, a key of `KEY_MAPS`; 'none' for ours; None finds it.
        revise_keys: (regular expression, replacement) for the names in the file, in this order.

    Raises:
        ConfigError: For an unknown key or value.
    """

    floor: float | None = None
    strict: bool = False
    ema: bool | None = None
    key: str | None = None
    key_map: str | None = None
    revise_keys: tuple = ()

    def __post_init__(self) -> None:
        number = isinstance(self.floor, int | float) and not isinstance(self.floor, bool)
        if self.floor is not None and not (number and 0 <= self.floor <= 1):
            raise _wrong('floor', self.floor, 'a share, 0 to 1')
        if not isinstance(self.strict, bool):
            raise _wrong('strict', self.strict, 'True or False')
        if self.ema not in (None, True, False):
            raise _wrong('ema', self.ema, 'True, False or None')
        if not isinstance(self.key, str | None):
            raise _wrong('key', self.key, "a name, as 'teacher'")
        if self.key_map not in (None, NO_MAP, *KEY_MAPS):
            raise _wrong('key_map', self.key_map, ', '.join([*KEY_MAPS, NO_MAP]))
        for pair in self.revise_keys or ():
            _check_pair(pair)

    @classmethod
    def from_dict(cls, cfg: Mapping | None) -> 'LoadCfg':
        """From a config's ``load_cfg``."""
        names = [f.name for f in fields(cls)]
        for name in cfg or {}:
            if name not in names:
                raise ConfigError(f'load_cfg has no key {name!r}.', culprit=str(name),
                                  expected=', '.join(names), fix=did_you_mean(str(name), names))
        return cls(**(cfg or {}))

    def also(self, strict: bool, revise_keys: Iterable | None) -> 'LoadCfg':
        """With what a call says besides."""
        return replace(self, strict=strict or self.strict,
                       revise_keys=(*(self.revise_keys or ()), *(revise_keys or ())))


def _wrong(name: str, got, expected: str) -> ConfigError:
    return ConfigError(f'load_cfg has a wrong {name}.', got=repr(got), expected=expected,
                       culprit=name)


def _check_pair(pair) -> None:
    try:
        pattern, replacement = pair
        re.compile(pattern).sub(replacement, '')
    except (TypeError, ValueError, re.error, IndexError) as error:
        raise _wrong('revise_keys', pair, "pairs such as (r'^encoder\\.', 'backbone.')") from error


def find_weights(checkpoint: Mapping, model_state: Mapping[str, Tensor], source,
                 cfg: LoadCfg = LoadCfg()) -> tuple[dict[str, Tensor], list[str]]:
    """The weights of a checkpoint under the names of a model, and what is to be told of them.

    Raises:
        CheckpointError: There are none, or what is meant is not said.
    """
    weights, notes = choose_weights(checkpoint, source, ema=cfg.ema, key=cfg.key,
                                    parts={name.split('.')[0] for name in model_state})
    for pattern, replacement in cfg.revise_keys or ():
        weights = {re.sub(pattern, replacement, name): value for name, value in weights.items()}
    weights, said = translate(weights, model_state, source, cfg.key_map)
    return weights, notes + said


def load_state_dict(model: nn.Module, checkpoint: Mapping, source, floor: float = INIT_FLOOR,
                    same_classes: bool = False, cfg: LoadCfg = LoadCfg(),
                    found: Callable[[dict], None] | None = None) -> Coverage:
    """Lay the weights of a checkpoint into ``model`` and report how much fitted.

    Args:
        model: Not wrapped for distribution.
        checkpoint: As it was read, or a state dict.
        source: Its name, for messages.
        floor: The least share of the model's parameters that must fit, 0..1, unless ``cfg`` says
            another; nothing is loaded below it, nor when nothing fits at all.
        same_classes: Whether another number of classes is an error (as in a test) or leaves
            the classifier as it is (as in training on other data). In a test auxiliary heads,
            which it does not compute, are not asked for.
        cfg: How the file is read.
        found: Called with the checkpoint, whose ``state_dict`` now is what will be laid in; it
            may change that.

    Raises:
        CheckpointError: Of another model, or of another number of classes.
    """
    state = model.state_dict()
    weights, notes = find_weights(checkpoint, state, source, cfg)
    if found is not None:
        checkpoint['state_dict'] = weights
        found(checkpoint)
        weights = checkpoint['state_dict']
    return lay(model, weights, source, floor if cfg.floor is None else cfg.floor, notes,
               same_classes=same_classes, strict=cfg.strict)


def lay(model: nn.Module, weights: dict[str, Tensor], source, floor: float, notes: list[str] = (),
        *, same_classes: bool = False, strict: bool = False) -> Coverage:
    """`load_state_dict` of weights that `find_weights` found."""
    state = model.state_dict()
    coverage = compare(state, weights, str(source), NOT_TESTED if same_classes else ())
    coverage.notes = list(notes)
    if same_classes:
        _check_classes(coverage, source)
    _check_floor(coverage, floor, state, weights)
    if strict and (coverage.unexpected or not coverage.is_whole):
        raise CheckpointError(
            f'{source} and the model do not have the same names; {coverage.reasons()}.',
            culprit=str(source), fix='leave strict away to load what fits')
    fitting = type(weights)((k, v) for k, v in weights.items() if k not in coverage.mismatched)
    if hasattr(weights, '_metadata'):
        fitting._metadata = weights._metadata
    model.load_state_dict(fitting, strict=False)
    return coverage


def _check_floor(coverage: Coverage, floor: float, state: Mapping, weights: Mapping) -> None:
    if coverage.matched and coverage.share >= floor:
        return
    unfit = {name: value for name, value in weights.items() if name not in coverage.matched}
    wanted = {name: value for name, value in state.items() if name not in coverage.matched}
    expected = f'at least {100 * floor:g} % of the parameters'
    if coverage.not_needed and floor == 1:
        expected = 'every weight that a test computes with'
    fix = _renaming(wanted, unfit) or 'give the config that it was trained with'
    if coverage.matched:
        share = int(1000 * coverage.share) / 1000  # not rounded up
        fix += f'; or lower the floor: load_cfg=dict(floor={share:g}), or --min-loaded {share:g}'
    what = 'is a checkpoint of another model' if coverage.share < 0.5 else 'lacks weights'
    raise CheckpointError(
        f'{coverage.source} {what}: {coverage.summary()}; {coverage.reasons()}.',
        got=' '.join(coverage.notes).rstrip('.') or None, culprit=coverage.source,
        expected=expected, fix=fix)


def _renaming(wanted: Mapping, unfit: Mapping) -> str | None:
    near = nearest_prefix(wanted, unfit)
    if near is None or 2 * near[2] < len(wanted):
        return None  # another network, of which some parts look alike
    theirs, ours, count = near
    return (f'{count} names {theirs}* of the file look like {ours}* of the model: '
            f"load_cfg=dict(revise_keys=[(r'^{re.escape(theirs)}', {ours!r})])")


def _check_classes(coverage: Coverage, source) -> None:
    for name, (theirs, ours) in coverage.mismatched.items():
        if 'head' in name and theirs[1:] == ours[1:]:
            raise CheckpointError(
                f'{source} was trained for {theirs[0]} classes, the config has {ours[0]}.',
                got=f'{name} of shape {list(theirs)}', expected=f'{list(ours)}',
                culprit=str(source), fix='set num_classes of the heads to the data set\'s, and '
                'test with the config and data set of the training')
