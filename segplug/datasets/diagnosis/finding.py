"""A finding: its name, what it means, where, and the line of config that mends it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

# An error makes training fail or learn something else; a warning makes it worse than it could
# be; a note is only said.
ERROR, WARNING, NOTE = 'error', 'warning', 'note'
SEVERITIES = (ERROR, WARNING, NOTE)
_SHOWN = 5  # files that a finding names


@dataclass(frozen=True)
class Mending:
    """One line of config: ``key=value`` in the dict that stands at ``place``.

    Attributes:
        place: Dotted key, items of lists by number: 'train_dataloader.dataset.pipeline.1'.
        line: 'reduce_zero_label=True', to be pasted there.
    """

    place: str
    line: str

    def __str__(self) -> str:
        return f'in {self.place}: {self.line}'


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or worth knowing.

    Attributes:
        name: Stable, for scripts; the list stands in docs/how-to/doctor.md.
        severity: 'error', 'warning' or 'note'.
        where: The part of the data, such as 'train', or a key of the config.
        what: What was found, in one sentence.
        why: What it means and does.
        advice: What to do, where a line of config alone does not do it.
        mending: Lines of config, each of which has to be set.
        files: The first few, each with what was found in it.
        num_files: How many there are in all.
    """

    name: str
    severity: str
    where: str
    what: str
    why: str
    advice: str = ''
    mending: tuple[Mending, ...] = ()
    files: tuple[str, ...] = ()
    num_files: int = 0

    def as_dict(self) -> dict:
        """Plain data, as ``--json`` writes it."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f'{self.severity}: {self.name} ({self.where}): {self.what} {self.why}']
        more = self.num_files - len(self.files)
        lines += [f'    {file}' for file in self.files] + [f'    and {more} more'] * (more > 0)
        lines += [f'  to mend it, {line}' for line in self.mending]
        lines += [f'  to mend it: {self.advice}'] * bool(self.advice)
        return '\n'.join(lines)


def named(files: Iterable[str], num_shown: int = _SHOWN) -> dict:
    """``files`` and ``num_files`` of a finding."""
    files = list(files)
    return dict(files=tuple(files[:num_shown]), num_files=len(files))


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes; otherwise as they come."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


_OF_ONE = dict(labels='label', images='image', files='file', values='value', pixels='pixel',
               are='is', have='has', hold='holds', belong='belongs')


def number_of(count: int, words: str) -> str:
    """Subject and verb, as for many: (1, 'labels have') is '1 label has'."""
    of_one = ' '.join(_OF_ONE.get(word, word) for word in words.split())
    return f'{count} {of_one if count == 1 else words}'


@dataclass(frozen=True)
class Place:
    """Where in a config a data set stands, for the lines that mend it.

    Attributes:
        dataset: Dotted key of the data set: 'train_dataloader.dataset'.
        loader: Number of LoadAnnotations in its pipeline, or None.
        others: Dotted keys of data sets of the same files: they need the same lines.
    """

    dataset: str
    loader: int | None = None
    others: Sequence['Place'] = field(default=())

    def set(self, line: str) -> tuple[Mending, ...]:
        """``line`` in the data set, and in the others."""
        return tuple(Mending(one.dataset, line) for one in (self, *self.others))

    def set_loader(self, line: str) -> tuple[Mending, ...]:
        """``line`` in LoadAnnotations of the pipelines."""
        return tuple(Mending(f'{one.dataset}.pipeline.{one.loader}', line)
                     for one in (self, *self.others) if one.loader is not None)
