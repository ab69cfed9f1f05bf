"""What every registered decode head keeps. A head without a row in CASES fails."""

import inspect

import extras_stand_in
import pytest
import torch
from contracts import check_layout_and_precision, every, filled, registered

from segplug.contract.heads import CHECKS, ODD, HeadCase, label_of, samples, segmentor
from segplug.models.layers import norms_to_eval
from segplug.models.val_loss import scalars
from segplug.registry import MODELS

LEVELS = ((6, 2), (8, 4), (10, 8))  # channels and stride of each level
# Of heads that take the levels of one backbone alone.
OWN_LEVELS = {'DDRHead': ((5, 8), (10, 8)), 'PIDHead': ((6, 8), (12, 8), (6, 8))}
SMALL = dict(num_classes=3, norm_cfg=dict(type='BN'))
CE = dict(type='CrossEntropyLoss')
CASCADED = ('OCRHead', 'PointHead')
CASES = {
    'ANNHead': [dict(in_channels=[8, 10], in_index=[1, 2], channels=4, project_channels=4),
                dict(in_channels=[8, 10], in_index=[1, 2], channels=4, project_channels=4,
                     query_scales=(1, 2), key_pool_scales=(1, 2))],
    'APCHead': [dict(in_channels=10, channels=4),
                dict(in_channels=10, channels=4, pool_scales=(2,), fusion=False)],
    'DMHead': [dict(in_channels=10, channels=4),
               dict(in_channels=10, channels=4, filter_sizes=(2,), fusion=True)],
    'ASPPHead': [dict(in_channels=10, channels=4, dilations=(1, 3))],
    'DepthwiseSeparableASPPHead': [
        dict(in_channels=10, channels=4, dilations=(1, 3), c1_in_channels=6, c1_channels=3),
        dict(in_channels=10, channels=4, dilations=(1, 3), c1_in_channels=0, c1_channels=0)],
    'DDRHead': [dict(in_channels=10, channels=4, loss_decode=[CE] * 2)],
    'PIDHead': [dict(in_channels=12, channels=4, loss_decode=[
        CE, dict(type='OhemCrossEntropy'), dict(type='BoundaryLoss'),
        dict(type='OhemCrossEntropy')])],
    'PSAHead': [dict(in_channels=10, channels=4, mask_size=(5, 7)),
                dict(in_channels=10, channels=4, mask_size=(3, 3), psa_type='collect',
                     shrink_factor=1, psa_softmax=False, normalization_factor=None)],
    'STDCHead': [dict(in_channels=10, channels=4)],
    'EncHead': [dict(in_channels=[8, 10], in_index=[1, 2], channels=4, num_codes=4),
                dict(in_channels=[8, 10], in_index=[1, 2], channels=4, num_codes=4,
                     add_lateral=True, use_se_loss=False)],
    'CCHead': [dict(in_channels=10, channels=4),
               dict(in_channels=10, channels=8, recurrence=1, concat_input=False)],
    'DAHead': [dict(in_channels=10, channels=4, pam_channels=2)],
    'DNLHead': [dict(in_channels=10, channels=4, use_scale=False),
                *(dict(in_channels=10, channels=4, mode=mode)
                  for mode in ('gaussian', 'dot_product'))],
    'EMAHead': [dict(in_channels=10, channels=4, ema_channels=6, num_bases=3, num_stages=2),
                dict(in_channels=10, channels=4, ema_channels=6, num_bases=3, num_stages=1,
                     concat_input=False)],
    'GCHead': [dict(in_channels=10, channels=8),
               dict(in_channels=10, channels=8, pooling_type='avg',
                    fusion_types=('channel_add', 'channel_mul'))],
    'NLHead': [dict(in_channels=10, channels=4),
               dict(in_channels=10, channels=4, mode='dot_product', concat_input=False)],
    'FCNHead': [dict(in_channels=10, channels=4),
                dict(in_channels=8, in_index=1, channels=4, num_convs=1, concat_input=False),
                dict(in_channels=[8, 10], in_index=[1, 2], channels=4,
                     input_transform='resize_concat')],
    'ISAHead': [dict(in_channels=10, channels=4, isa_channels=4, down_factor=(2, 2))],
    'FPNHead': [dict(in_channels=[6, 8, 10], in_index=[0, 1, 2], channels=4,
                     feature_strides=[2, 4, 8]),
                dict(in_channels=[10], in_index=[2], channels=4, feature_strides=[8])],
    'OCRHead': [dict(in_channels=10, channels=4, ocr_channels=3),
                dict(in_channels=[8, 10], in_index=[1, 2], input_transform='resize_concat',
                     channels=4, ocr_channels=3, scale=2)],
    'PointHead': [dict(in_channels=[6], in_index=[0], channels=4, norm_cfg=None),
                  dict(in_channels=[6, 8], in_index=[0, 1], channels=4, num_fcs=1,
                       norm_cfg=dict(type='BN1d'), coarse_pred_each_layer=False)],
    'PSPHead': [dict(in_channels=10, channels=4),
                dict(in_channels=10, channels=4, pool_scales=(1, 3))],
    'UPerHead': [dict(in_channels=[6, 8, 10], in_index=[0, 1, 2], channels=4)],
    'DepthwiseSeparableFCNHead': [
        dict(in_channels=10, channels=4), dict(in_channels=8, in_index=1, channels=4, num_convs=1,
                                               concat_input=False)],
    'LRASPPHead': [dict(in_channels=(6, 8, 10), in_index=(0, 1, 2), channels=4,
                        branch_channels=(2, 3), input_transform='multiple_select')],
    'SMPHead': [dict(in_channels=(6, 8, 10), decoder_args=dict(decoder_channels=(8, 6, 4)))],
    'UNetHead': [dict(in_channels=(6, 8, 10), decoder_channels=(8, 6, 4))],
}


def case_of(name, row):
    """PointHead's forward is of points, and heads of one backbone have losses of other names."""
    acc = 'acc_point' if name == 'PointHead' else 'acc_seg'
    plain = name not in (*OWN_LEVELS, 'PointHead')
    return HeadCase(dict(type=name, **{**SMALL, **row}), levels=OWN_LEVELS.get(name, LEVELS),
                    cascaded=name in CASCADED, forward_is_logits=name != 'PointHead',
                    losses=(acc, 'loss_ce') if plain else (acc,), strict=True)


ROWS = [case_of(name, row) for name, rows in CASES.items() for row in rows]
every_row = pytest.mark.parametrize('case', ROWS, ids=str)


@pytest.fixture(autouse=True)
def _extras(monkeypatch):
    extras_stand_in.install(monkeypatch)


def test_every_head_has_a_row():
    assert registered('decode_heads') == set(CASES)


@pytest.mark.parametrize('name', CASES)
def test_signature_hides_nothing(name):
    parameters = inspect.signature(MODELS.get(name)).parameters
    assert 'num_classes' in parameters
    assert all(p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values())


@every(ROWS, CHECKS)
def test_it_keeps_its_contract(case, check):
    check(case)


@every_row
@pytest.mark.parametrize('training', [False, True])
def test_memory_format_and_bf16_change_next_to_nothing(case, training):
    check_layout_and_precision(
        filled(case.build()).train(training),
        lambda head, inputs: case.predicted(head, inputs, ODD), case.inputs(ODD))


# --- the loss of a validation ----------------------------------------------------------------

@every_row
def test_in_evaluation_the_losses_are_those_of_training_without_its_noise(case):
    head, inputs, labelled = filled(case.build()), case.inputs(ODD), samples(label_of(2, ODD))
    with torch.no_grad():
        calm = head.eval().loss(*inputs, labelled, None)
        norms_to_eval(head.train())
        torch.manual_seed(0)  # PointHead's points; in evaluation they have a generator of this seed
        trained = head.loss(*inputs, labelled, None)
    assert set(calm) == set(trained)
    assert all(torch.allclose(calm[name], trained[name]) for name in calm)


@every_row
@pytest.mark.parametrize(('test_cfg', 'columns'), [
    (dict(mode='whole'), [slice(None)]),
    (dict(mode='slide', crop_size=(33, 32), stride=(33, 9)), [slice(0, 32), slice(15, 47)])],
    ids=['whole', 'slide'])
def test_a_validation_has_the_losses_of_the_segmentor(case, test_cfg, columns):
    """Of windows, laid side by side with the last shifted back inside, their mean."""
    model, label = filled(segmentor(case, test_cfg)).eval(), label_of(1, ODD)
    img = torch.randint(0, 256, (3, *ODD), dtype=torch.uint8,
                        generator=torch.Generator().manual_seed(3))
    model.with_val_losses = True
    sample, = model.val_step(dict(inputs=[img], data_samples=samples(label)))
    with torch.no_grad():
        parts = [scalars(model.loss((img[None, ..., part].float() - 120) / 60,
                                    samples(label[..., part], edges=False)))
                 for part in columns]
    assert sample.losses == pytest.approx(
        {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}, rel=1e-6)
    prefixes = ('decode_0', 'decode_1') if case.cascaded else ('decode', 'aux_0')
    assert {name.split('.')[0] for name in sample.losses} == {'loss', *prefixes}
