"""Which values of a config can be meant for an annotation, and what is said of the others."""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Tuple, Union  # noqa: UP035  (as others do)

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.optim import PolyLR

from segplug.arguments import as_text, fits, parameters, written, wrong_value

TAKEN = [
    (3, int), (3.0, int), (True, int), (np.int64(3), int), (3, float), (np.float32(3), float),
    (0, bool), (np.bool_(True), bool), ('a', str), (Path('a'), str), (None, int),
    ([1, 2], tuple[int, int]), ((1, 2), list[int]), ([1, 2], Sequence), ((1,), tuple[float, ...]),
    ([[1, 2]], Sequence[Sequence[int]]), ('abc', Sequence[str]), (ConfigDict(a=1), dict),
    (ConfigDict(a=1), Mapping), ({'a': 1}, Dict[str, int]), (1, int | None), (1, Optional[int]),  # noqa: UP006, UP045
    (1, Union[str, int]), ([1], List[int]), ((1, 2), Tuple[int, int]), ('a', Literal['a', 'b']),  # noqa: UP006, UP007
    ('float16', Union[str, torch.dtype]), (0.1, Union[float, torch.Tensor]), ('SyncBN', type),  # noqa: UP007
    ('x', Callable), ([1], Any), (dict(type='X'), torch.nn.Module), ('x', object), (1, enum.Enum),
    (np.zeros(3), Sequence[float]), (torch.float16, str), (len, dict),
    ([{}, {}], dict | list[dict]), ('x', dict | Callable), ('x', dict | type)]
REFUSED = [
    ('3', int), ([3], int), (3.5, int), ({}, int), ('0.1', float), ([0.1], float), ('yes', bool),
    (0.5, bool), (3, str), ([1], str), (3, dict), ('a', dict), ([1], dict), (7, Mapping),
    (3, Sequence[int]), (3, tuple[int, int]), ('ab', list[str]), ('ab', Sequence[int]),
    (['a', 'b'], tuple[int, int]), ({}, Iterable[int]), ('1', int | None), ('1', Optional[float]),  # noqa: UP045
    ('c', Literal['a', 'b']), ('0.1', Union[float, torch.Tensor]), (3, dict | list[dict]),  # noqa: UP007
    ([3], dict | list[dict]), ('x', Union[torch.nn.Module, Dict]), ([], dict | torch.nn.Module)]  # noqa: UP006, UP007


@pytest.mark.parametrize(('value', 'annotation'), TAKEN, ids=str)
def test_what_can_be_meant_is_taken(value, annotation):
    assert fits(value, annotation)


@pytest.mark.parametrize(('value', 'annotation'), REFUSED, ids=str)
def test_what_cannot_be_meant_is_refused(value, annotation):
    assert not fits(value, annotation)


class Thing:
    def __init__(self, width: int, depth: 'int | None' = 3, *, name: 'Unknown' = 'a',  # noqa: F821
                 values: Sequence[int] = (1, 2, 3, 4, 5, 6, 7, 8, 9)) -> None:
        pass


def test_a_signature_is_written_with_its_defaults_and_long_ones_cut():
    assert written(Thing, parameters(Thing)) == "Thing(width, depth=3, name='a', values=...)"


def test_annotations_of_other_packages_may_be_narrower_than_their_code(monkeypatch):
    width = parameters(Thing)['width']
    assert wrong_value(Thing, width, '3') is None
    monkeypatch.setattr(Thing, '__module__', 'segplug.arguments')
    assert wrong_value(Thing, width, '3') == 'int'


def test_annotations_as_text_are_read_where_they_can_be(monkeypatch):
    monkeypatch.setattr(Thing, '__module__', 'segplug.arguments')
    assert wrong_value(Thing, parameters(Thing)['depth'], '3') == 'int | None'
    assert wrong_value(Thing, parameters(Thing)['depth'], 3) is None
    assert wrong_value(Thing, parameters(Thing)['name'], 3) is None


@pytest.mark.parametrize(('annotation', 'text'), [
    (int, 'int'), (Sequence[int], 'Sequence[int]'), (dict | list[dict], 'dict | list[dict]'),
    (Optional[float], 'Optional[float]')])  # noqa: UP045
def test_annotations_are_said_as_one_writes_them(annotation, text):
    assert as_text(annotation).replace('float | None', 'Optional[float]') == text


def test_a_scheduler_has_the_arguments_of_its_mixin_and_its_base():
    found = parameters(PolyLR)
    assert {'power', 'eta_min', 'by_epoch', 'begin', 'end', 'optimizer'} <= set(found)
    assert not {'self', 'param_name', 'kwargs'} & set(found)


def test_where_any_name_is_taken_nothing_is_known():
    assert parameters(lambda **kwargs: None) is None
    assert parameters(lambda a, *rest: None).keys() == {'a'}


def test_a_number_in_quotes_where_a_number_is_the_default():
    def made(window=10, rate=0.5, mode='x', flag=False, other=None):
        """Arguments without annotations, as mmengine's."""

    made.__module__ = 'mmengine.made'
    taken = parameters(made)
    assert wrong_value(made, taken['window'], '10') == 'int'
    assert wrong_value(made, taken['rate'], '1e-3') == 'float'
    assert [wrong_value(made, taken[name], value) for name, value in (
        ('window', 'global'), ('window', 3), ('mode', '3'), ('flag', '1'), ('other', '1'))
        ] == [None] * 5
