"""What every registered neck keeps. A neck without a row in ROWS fails."""

import inspect
import math

import pytest
from contracts import check_layout_and_precision, every, filled, registered

from segplug.contract.necks import CHECKS, SIZES, NeckCase
from segplug.errors import ConfigError
from segplug.registry import MODELS

PYRAMID = ((6, 4), (8, 8), (10, 16))  # channels and stride of each level of a backbone
FLAT = ((6, 16),) * 4  # of a vision transformer
BN = dict(norm_cfg=dict(type='BN'))


def row(name, kwargs, outs, levels=PYRAMID, rounded=math.ceil):
    """A neck, what goes in, and what comes out: channels, the level whose size is meant, times."""
    return NeckCase(dict(type=name, **kwargs), levels=levels, outs=outs, rounded=rounded,
                    strict=True)


ROWS = [
    row('FPN', dict(in_channels=[6, 8, 10], out_channels=4, num_outs=3),
        ((4, 0, 1), (4, 1, 1), (4, 2, 1))),
    row('FPN', dict(in_channels=[6, 8, 10], out_channels=4, num_outs=4, **BN),
        ((4, 0, 1), (4, 1, 1), (4, 2, 1), (4, 2, 1 / 2))),
    row('FPN', dict(in_channels=[6, 8, 10], out_channels=4, num_outs=4, start_level=1,
                    add_extra_convs='on_input', relu_before_extra_convs=True, **BN),
        ((4, 1, 1), (4, 2, 1), (4, 2, 1 / 2), (4, 2, 1 / 4))),
    row('Feature2Pyramid', dict(embed_dim=6, **BN),
        ((6, 0, 4), (6, 0, 2), (6, 0, 1), (6, 0, 1 / 2)), FLAT, math.floor),
    row('Feature2Pyramid', dict(embed_dim=6, rescales=[2, 1, 0.5, 0.25], **BN),
        ((6, 0, 2), (6, 0, 1), (6, 0, 1 / 2), (6, 0, 1 / 4)), FLAT, math.floor),
    row('ICNeck', dict(in_channels=(6, 8, 10), out_channels=4),
        ((4, 1, 1), (4, 0, 1), (4, 0, 1))),
    row('JPU', dict(in_channels=(6, 8, 10), mid_channels=4, dilations=(1, 2)),
        ((6, 0, 1), (8, 1, 1), (8, 0, 1))),
    row('JPU', dict(in_channels=(6, 8, 10), mid_channels=4, start_level=1),
        ((8, 1, 1), (16, 1, 1))),
    row('MultiLevelNeck', dict(in_channels=[6] * 4, out_channels=4, scales=[4, 2, 1, 0.5]),
        ((4, 0, 4), (4, 0, 2), (4, 0, 1), (4, 0, 1 / 2)), FLAT, math.floor),
    row('MultiLevelNeck', dict(in_channels=[6], out_channels=4, **BN),
        ((4, 0, 1 / 2), (4, 0, 1), (4, 0, 2), (4, 0, 4)), FLAT[:1], math.floor),
]
every_row = pytest.mark.parametrize('case', ROWS, ids=str)


def test_every_neck_has_a_row():
    assert registered('necks') == {case.name for case in ROWS}


@every(ROWS, CHECKS)
def test_it_keeps_its_contract(case, check):
    check(case)


@every_row
@pytest.mark.parametrize('training', [False, True])
def test_memory_format_and_bf16_change_next_to_nothing(case, training):
    check_layout_and_precision(filled(case.build()).train(training),
                               lambda neck, levels: neck(levels), case.inputs(SIZES[1]))


@every_row
def test_signature_hides_nothing_and_a_misspelt_key_is_an_error(case):
    parameters = inspect.signature(MODELS.get(case.name)).parameters
    assert all(p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values())
    with pytest.raises(ConfigError, match='norm_cfg'):
        MODELS.build(dict(norm_cgf=None, **case.settings))
