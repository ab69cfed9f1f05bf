"""What is said of slips in the shipped configs: a named error, its line, and the right name.

A few slips in each run; marked slow are two in every shipped config, of every kind. The shares
are those of the requirement, and misses of a run are in its message.
"""

import logging
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from config_mutations import KINDS, faults, no_data, said, said_of, slip_of, spots

from segplug.apis.places import shipped_configs
from segplug.errors import ConfigError


@pytest.fixture
def leaves(tmp_path, monkeypatch):
    """A copy of the shipped configs, whose files may be changed."""
    shutil.copytree(shipped_configs(), tmp_path / 'configs')
    monkeypatch.chdir(tmp_path)
    logging.disable(logging.CRITICAL)
    yield sorted(path for path in (tmp_path / 'configs').rglob('*.py')
                 if '_base_' not in path.relative_to(tmp_path).parts)
    logging.disable(logging.NOTSET)


def judged(leaves, kinds, seed, work_dir) -> tuple[Counter, int, int, list[str]]:
    """Faults by name, slips, misspelt names among them, and what was said where something lacks."""
    found, slips, names, misses = Counter(), 0, 0, []
    with no_data():
        for leaf, kind in zip(leaves, kinds, strict=True):
            slip = slip_of(leaf, kind, random.Random(f'{seed} {leaf.name} {kind}'))
            error = slip and said_of(slip, work_dir)
            # Not every file names an argument that has no default, and some have one elsewhere.
            if slip is None or (kind == 'drop' and error is None):
                continue
            lacking = faults(slip, error)
            found.update(lacking)
            slips, names = slips + 1, names + (slip.meant is not None)
            if lacking:
                misses.append(f'{lacking} {slip.leaf.name} {slip.file.name}:{slip.lines} '
                              f'{slip.change}: {type(error).__name__}: {str(error)[:300]}')
    return found, slips, names, misses


def check(found: Counter, slips: int, names: int, misses: list[str]) -> None:
    text = '\n'.join(misses)
    assert found['named'] == 0, text
    assert found['place'] <= 0.05 * slips, text
    assert found['suggestion'] <= 0.05 * names, text


def test_slips_in_some_shipped_configs_are_answered(leaves, tmp_path):
    kinds = [kind for kind in KINDS for _ in range(3)]
    chosen = random.Random(3).sample(leaves, len(kinds))
    found, slips, names, misses = judged(chosen, kinds, 3, tmp_path)
    assert slips >= 12
    assert names == 6
    check(found, slips, names, misses)


@pytest.mark.slow
def test_slips_in_every_shipped_config_are_answered(leaves, tmp_path):
    kinds = [KINDS[i % len(KINDS)] for i in range(2 * len(leaves))]
    found, slips, names, misses = judged(sorted(leaves * 2), kinds, 0, tmp_path)
    print(f'{slips} slips, {names} misspelt names, faults: {dict(found)}')
    assert slips >= 200
    check(found, slips, names, misses)


@pytest.mark.slow
def test_every_shipped_config_is_taken_as_it_is(leaves, tmp_path):
    with no_data():
        refused = {leaf.name: error for leaf in leaves
                   if (error := said(leaf, tmp_path)) is not None}
    assert refused == {}


def test_slips_are_made_where_the_syntax_says():
    text = "model = dict(\n    type='A', depth=18, head=dict(size=(1, 2)))\nmine = dict(x='a')\n"
    found = [(spot.kind, text[spot.start:spot.end], spot.lines.start) for spot in spots(text)]
    assert sorted(found) == sorted([
        ('key', 'model', 1), ('value', text[8:text.index('\nmine')], 1), ('type', 'A', 2),
        ('extra', '', 2), ('key', 'depth', 2), ('drop', 'depth=18,', 2 - 1), ('value', '18', 2),
        ('key', 'head', 2), ('drop', 'head=dict(size=(1, 2))', 2 - 1),
        ('value', 'dict(size=(1, 2))', 2), ('key', 'size', 2), ('drop', 'size=(1, 2)', 2),
        ('key', 'x', 3), ('drop', "x='a'", 3)])


def test_a_judge_wants_a_name_a_line_and_a_suggestion(tmp_path):
    class Slip:
        kind, file, lines, meant = 'key', Path('a.py'), range(3, 4), 'depth'

    error = ConfigError('No.', fix="did you mean 'width' or 'depth'")
    assert faults(Slip, KeyError('depth')) == ['named']
    assert faults(Slip, error) == ['place']
    error.where, error.fix = 'a.py:3', "did you mean 'width'"
    assert faults(Slip, error) == ['suggestion']
    error.fix = "did you mean 'width' or 'depth'"
    assert faults(Slip, error) == []
