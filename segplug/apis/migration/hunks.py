"""What was changed in a file: the lines, and why.

Each hunk has a reason at least: those of the edits that lie in it, or of the edit that it is a
part of.
"""

import difflib
from dataclasses import dataclass

from .source import Reason, Source, split_lines


@dataclass(frozen=True)
class Hunk:
    """Lines ``old`` from line ``first`` on became the lines ``new``."""

    first: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    reasons: tuple[Reason, ...]


def hunks(source: Source) -> list[Hunk]:
    """The changes of one file, in order."""
    old, new = split_lines(source.old_text), split_lines(source.new_text)
    reasons = source.reasons
    found, said = [], set()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == 'equal':
            continue
        first, last = i1 + 1, max(i2, i1 + 1)
        touching = [reason for reason in reasons if reason.first <= last + (i1 == i2)
                    and reason.last >= first - (i1 == i2)]
        if i1 == i2:
            touching = [reason for reason in touching if reason.is_insertion] or touching
        fresh = [reason for reason in touching if reason not in said]
        chosen = fresh or touching[-1:] or [_nearest(reasons, first)]
        said.update(chosen)
        found.append(Hunk(first, tuple(old[i1:i2]), tuple(new[j1:j2]),
                          tuple(dict.fromkeys(chosen))))
    return found


def _nearest(reasons: list[Reason], line: int) -> Reason:
    return min(reasons, key=lambda reason: min(abs(reason.first - line), abs(reason.last - line)))


def old_lines(source: Source) -> dict[int, int]:
    """Line of the new text -> the line of the old one that it was, or that stood there."""
    old, new = split_lines(source.old_text), split_lines(source.new_text)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return {j + 1: min(i1 + (j - j1), max(i2 - 1, i1)) + 1
            for _, i1, i2, j1, j2 in matcher.get_opcodes() for j in range(j1, j2)}
