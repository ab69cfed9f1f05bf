"""Which contract a component has, what it is tried on, and how it may be made."""

import pytest
from torch import nn

from segplug.contract.checking import cases_of
from segplug.contract.guesses import guesses, line_to_write, required
from segplug.contract.kinds import kind_of, make_case
from segplug.contract.package import Component
from segplug.errors import ConfigError
from segplug.models.decode_heads import BaseDecodeHead, FCNHead
from segplug.models.segmentors import EncoderDecoder
from segplug.registry import HOOKS, LOOPS, MODELS, TRANSFORMS


class AuxPassthrough(nn.Module):
    def loss_by_feat(self, seg_logits, batch_data_samples): ...


class Smooth(nn.Module):
    def forward(self, pred, target, weight=None): ...


class HeadWithoutAccuracy(nn.Module):
    pass


class _Open(BaseDecodeHead):
    def __init__(self, patience, **kwargs):
        super().__init__(input_transform='multiple_select', **kwargs)


def of_module(module):
    return type('Thing', (nn.Module,), dict(__module__=module))


@pytest.mark.parametrize(('cls', 'kind'), [
    (FCNHead, 'head'), (EncoderDecoder, 'segmentor'), (AuxPassthrough, 'head'), (Smooth, 'loss'),
    (HeadWithoutAccuracy, 'head'), (of_module('pkg.backbones.thing'), 'backbone'),
    (of_module('pkg.models.necks'), 'neck'), (of_module('pkg'), None),
    (type('FooNet', (), {}), 'backbone'), (type('BarCriterion', (), {}), 'loss')])
def test_models_by_class_name_place_and_methods(cls, kind):
    assert kind_of('MODELS', cls) == kind


def test_others_by_their_registry():
    assert kind_of('HOOKS', object) == 'hook'
    assert kind_of('LOOPS', object) == 'other'


@pytest.mark.parametrize(('settings', 'levels'), [
    (dict(in_channels=8), ((8, 2),)), (dict(in_channels=8, in_index=-1), ((8, 2),)),
    (dict(in_channels=8, in_index=2), ((4, 2), (4, 4), (8, 8))),
    (dict(in_channels=8, in_index=-2), ((8, 2), (4, 4))),
    (dict(in_channels=[6, 8], in_index=[1, 3]), ((4, 2), (6, 4), (4, 8), (8, 16))),
    (dict(in_channels=[6, 8]), ((6, 2), (8, 4)))])
def test_levels_of_a_head_follow_its_channels(settings, levels):
    case = make_case('head', dict(type='FCNHead', **settings), MODELS, {})
    assert case.levels == levels
    assert not case.cascaded
    assert make_case('head', dict(type='OCRHead'), MODELS, {}).cascaded


def test_an_unknown_fact_is_an_error():
    with pytest.raises(ConfigError, match='levels'):
        make_case('head', dict(type='FCNHead'), MODELS, dict(level=((1, 2),)))


def test_a_row_says_the_kind_of_a_model_or_of_a_transform():
    component = Component('Crop', 'TRANSFORMS', TRANSFORMS, TRANSFORMS.get('RandomCrop'))
    row = dict(type='RandomCrop', crop_size=(4, 4),
               _contract_=dict(kind='load', skip={'keys': 'x'}))
    (case, skip), = cases_of(component, [row])
    assert case.kind == 'load'
    assert skip == {'keys': 'x'}
    for wrong in (dict(kind='lod'), dict(values='keep'), dict(skip={'key': 'x'})):
        with pytest.raises(ConfigError, match='expected|Expected'):
            cases_of(component, [dict(row, _contract_=wrong)])
    odd = Component('Odd', 'MODELS', MODELS, of_module('pkg'))
    (case, _), = cases_of(odd, [dict(type='Odd', _contract_=dict(kind='backbone'))])
    assert type(case).__name__ == 'BackboneCase'


def test_guesses_fill_what_has_to_be_named():
    assert required(_Open) == ['in_channels', 'channels', 'num_classes', 'patience']
    assert list(guesses('head', '_Open', _Open)) == []
    assert line_to_write('head', '_Open', _Open) == (
        "segplug_contract = [dict(type='_Open', in_channels=8, channels=8, num_classes=3, "
        'patience=...)]')
    first, second, *_ = guesses('head', 'FCNHead', FCNHead)
    assert first == dict(type='FCNHead', in_channels=8, channels=8, num_classes=3)
    assert second == dict(first, in_channels=[6, 8, 10], in_index=[0, 1, 2])
    assert list(guesses('hook', 'StopHook', HOOKS.get('StopHook'))) == [dict(type='StopHook')]
    assert required(LOOPS.get('TestLoop'))
