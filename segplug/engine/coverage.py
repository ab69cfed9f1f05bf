"""How much of a model a file covers: counted in tensors and parameters, told by prefix.

Parameters are all values of the state dict: weights and running statistics. BatchNorm's counters,
which old files lack, are not counted. Nothing here reads a file or changes a model.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

_COUNTER = 'num_batches_tracked'
_GROUPS = 6  # prefixes that a line of the report names
_SHAPES = 8  # shapes that do not fit, written out


@dataclass
class Coverage:
    """Which names of a model and of a file fit together; ``print`` it for a report.

    Attributes:
        source: What was loaded, for the report.
        matched, missing: Names of the model.
        unexpected: Names of the file that the model has not.
        mismatched: Name -> (shape in the file, shape in the model).
        sizes: Number of values by name of the model.
        not_needed: Beginnings of names that the floor does not ask for.
        notes: What was chosen and renamed on the way, a sentence each.
    """

    source: str = 'the checkpoint'
    matched: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: dict[str, tuple[tuple, tuple]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    not_needed: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def wanted(self) -> list[str]:
        """The model's names."""
        return [*self.matched, *self.missing, *self.mismatched]

    @property
    def share(self) -> float:
        """Loaded parameters as a share of the model's, 0..1; of those that are needed."""
        wanted, loaded = (sum(self.sizes.get(name, 1) for name in names
                              if not name.startswith(self.not_needed))
                          for names in (self.wanted, self.matched))
        return loaded / wanted if wanted else 1.0

    @property
    def is_whole(self) -> bool:
        """Whether every name of the model was found in its shape."""
        return not self.missing and not self.mismatched

    @property
    def log_level(self) -> int:
        """A warning where something of the model is left as it was."""
        return logging.INFO if self.is_whole else logging.WARNING

    def summary(self) -> str:
        """What fits, in a sentence without its dot."""
        loaded, wanted = (sum(self.sizes.get(name, 1) for name in names)
                          for names in (self.matched, self.wanted))
        if self.is_whole:
            return f'all {len(self.matched)} tensors, {_amount(wanted)} parameters'
        return (f'{len(self.matched)} of the model\'s {len(self.wanted)} tensors fit, '
                f'{_amount(loaded)} of {_amount(wanted)} parameters ({_percent(loaded, wanted)})')

    def reasons(self) -> str:
        """What does not fit, in a sentence without its dot; empty where all fits."""
        parts = [f'{label} {grouped(names)}' for label, names in (
            ('not in the file:', self.missing),
            ('in the file alone:', self.unexpected)) if names]
        if self.mismatched:
            parts.insert(0, f'of another shape: {"; ".join(self._shapes(3))}')
        return '; '.join(parts)

    def _shapes(self, count: int) -> list[str]:
        lines = [f'{name} {list(theirs)} in the file, {list(ours)} in the model'
                 for name, (theirs, ours) in list(self.mismatched.items())[:count]]
        rest = list(self.mismatched)[count:]
        return lines + ([f'and {grouped(rest)}'] if rest else [])

    def __str__(self) -> str:
        lines = [f'{self.source}: {self.summary()}.', *(f'  {note}' for note in self.notes)]
        if not self.is_whole:
            lines += self._parts()
            lines += [f'  Of another shape: {line}' for line in self._shapes(_SHAPES)]
            if self.missing:
                lines.append(f'  Not in the file: {grouped(self.missing)}')
        if self.unexpected:
            lines.append(f'  Left over in the file: {grouped(self.unexpected)}')
        return '\n'.join(lines)

    def _parts(self) -> list[str]:
        """Loaded and wanted tensors and parameters below every first part of a name."""
        parts = Counter(_first(name) for name in self.wanted)
        width = max(map(len, parts))
        lines = []
        for part, tensors in list(parts.items())[:2 * _SHAPES]:
            loaded = [name for name in self.matched if _first(name) == part]
            values, of = (sum(self.sizes.get(name, 1) for name in names)
                          for names in (loaded, [n for n in self.wanted if _first(n) == part]))
            lines.append(f'  {part:<{width}}  {len(loaded):>4} of {tensors:>4} tensors  '
                         f'{_percent(values, of):>6} of {_amount(of)} parameters')
        return lines


def compare(model_state: dict[str, Tensor], weights: dict[str, Tensor],
            source: str = 'the checkpoint', not_needed: tuple[str, ...] = ()) -> Coverage:
    """Match by name and shape."""
    coverage = Coverage(source, not_needed=not_needed, sizes={
        name: tensor.numel() for name, tensor in model_state.items()})
    for name, tensor in model_state.items():
        if name not in weights:
            if not name.endswith(_COUNTER):
                coverage.missing.append(name)
        elif weights[name].shape != tensor.shape:
            coverage.mismatched[name] = tuple(weights[name].shape), tuple(tensor.shape)
        elif not name.endswith(_COUNTER):
            coverage.matched.append(name)
    coverage.unexpected = [n for n in weights if n not in model_state]
    return coverage


def grouped(names: Iterable[str], limit: int = _GROUPS) -> str:
    """Names by the longest prefixes of which there are at most ``limit``: 'layer4.* (12), fc.bias'.
    """
    paths = [name.split('.') for name in names]
    groups = {}
    for depth in range(max(map(len, paths), default=0), 0, -1):
        groups = {}
        for path in paths:
            groups.setdefault('.'.join(path[:depth]), []).append('.'.join(path))
        if len(groups) <= limit:
            break
    shown = [inside[0] if len(inside) == 1 else f'{name}.* ({len(inside)})'
             for name, inside in list(groups.items())[:limit]]
    more = len(groups) - limit
    return ', '.join(shown) + (f' and {more} more' if more > 0 else '')


def nearest_prefix(model_state: Mapping[str, Tensor],
                   weights: Mapping[str, Tensor]) -> tuple[str, str, int] | None:
    """Which beginning of the file's names stands where the model has another, by ends and shapes.

    Returns:
        (theirs, ours, number of names): ('encoder.', 'backbone.', 266); None if nothing is alike.
    """
    ends = {}
    for name, tensor in model_state.items():
        parts = name.split('.')
        for i in range(len(parts)):
            ends.setdefault(('.'.join(parts[i:]), tensor.shape), '.'.join(parts[:i]))
    pairs = Counter()
    for name, tensor in weights.items():
        parts = name.split('.')
        for i in range(len(parts)):
            ours = ends.get(('.'.join(parts[i:]), tensor.shape))
            if ours is not None:
                pairs['.'.join(parts[:i]), ours] += 1
                break
    pairs = Counter({pair: count for pair, count in pairs.items() if pair[0] != pair[1]})
    if not pairs:
        return None
    (theirs, ours), count = pairs.most_common(1)[0]
    return f'{theirs}.' if theirs else '', f'{ours}.' if ours else '', count


def _first(name: str) -> str:
    return name.split('.')[0]


def _amount(count: int) -> str:
    for unit, size in (('G', 10**9), ('M', 10**6), ('k', 10**3)):
        if count >= size:
            return f'{count / size:.4g} {unit}'
    return str(count)


def _percent(part: int, whole: int) -> str:
    """Never 100 % of what is not whole, nor 0 % of what is not empty."""
    if part == whole:
        return '100 %'
    return f'{min(max(100 * part / whole, 0.1), 99.9) if part else 0:.1f} %'
