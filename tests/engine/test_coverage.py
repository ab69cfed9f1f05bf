"""What a file covers: counted by hand, told by prefix."""

import logging

import torch
from torch import nn

from segplug.engine.coverage import compare, grouped, nearest_prefix


def state() -> dict:
    return nn.ModuleDict(dict(
        backbone=nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
        decode_head=nn.ModuleDict(dict(conv_seg=nn.Conv2d(4, 3, 1))))).state_dict()


def test_counts_and_names():
    # 8 names without the counter: conv 112 values, norm 4 * 4, conv_seg 15
    model = state()
    weights = dict(model)
    del weights['backbone.1.num_batches_tracked'], weights['backbone.0.bias']
    weights['extra'] = torch.ones(1)
    weights['backbone.1.weight'] = torch.ones(9)
    coverage = compare(model, weights, 'a.pth')
    assert (len(coverage.matched), coverage.missing) == (6, ['backbone.0.bias'])
    assert coverage.unexpected == ['extra']
    assert coverage.mismatched == {'backbone.1.weight': ((9,), (4,))}
    assert coverage.share == (143 - 4 - 4) / 143
    assert coverage.log_level == logging.WARNING
    assert str(coverage) == (
        "a.pth: 6 of the model's 8 tensors fit, 135 of 143 parameters (94.4 %).\n"
        '  backbone        4 of    6 tensors  93.8 % of 128 parameters\n'
        '  decode_head     2 of    2 tensors   100 % of 15 parameters\n'
        '  Of another shape: backbone.1.weight [9] in the file, [4] in the model\n'
        '  Not in the file: backbone.0.bias\n'
        '  Left over in the file: extra')


def test_what_fits_is_one_line():
    coverage = compare(state(), state(), 'a.pth')
    assert str(coverage) == 'a.pth: all 8 tensors, 143 parameters.'
    assert coverage.reasons() == ''
    assert coverage.log_level == logging.INFO


def test_almost_all_is_not_all():
    model = {'a': torch.zeros(100000), 'b': torch.zeros(1)}
    assert '(99.9 %)' in compare(model, {'a': torch.zeros(100000)}).summary()
    assert '(0.1 %)' in compare(model, {'b': torch.zeros(1)}).summary()
    assert '100 k of 100 k' in compare(model, {'a': torch.zeros(100000)}).summary()


def test_a_large_model_fits_on_a_screen():
    model = {f'backbone.layer{i}.{j}.conv{k}.weight': torch.zeros(1)
             for i in range(9) for j in range(30) for k in range(5)}
    other = {f'net.{i}': torch.zeros(2) for i in range(500)}
    some = {name: torch.zeros(2) for name in list(model)[::3]}
    lines = str(compare(model, {**other, **some})).splitlines()
    assert len(lines) <= 15
    assert max(map(len, lines)) < 250
    assert lines[-1] == '  Left over in the file: net.* (500)'


def test_grouped():
    names = ['fc.weight', 'fc.bias', 'layer1.0.conv1.weight', 'layer1.1.conv1.weight', 'x']
    assert grouped(names) == ', '.join(names)
    assert grouped(names, 4) == grouped(names, 3)
    assert grouped(names, 3) == 'fc.* (2), layer1.* (2), x'
    assert grouped(names, 2) == 'fc.* (2), layer1.* (2) and 1 more'
    assert grouped([]) == ''


def test_nearest_prefix_goes_by_ends_and_shapes():
    model = {'backbone.conv1.weight': torch.zeros(2, 3), 'backbone.bn1.weight': torch.zeros(2),
             'decode_head.conv_seg.weight': torch.zeros(5)}
    encoder = {'net.enc.conv1.weight': torch.zeros(2, 3), 'net.enc.bn1.weight': torch.zeros(2),
               'fc.weight': torch.zeros(7)}
    assert nearest_prefix(model, encoder) == ('net.enc.', 'backbone.', 2)
    bare = {'conv1.weight': torch.zeros(2, 3)}
    assert nearest_prefix(model, bare) == ('', 'backbone.', 1)
    assert nearest_prefix(bare, model) == ('backbone.', '', 1)
    assert nearest_prefix(model, {'conv1.weight': torch.zeros(9)}) is None
