"""What every registered decode head keeps. A head without a row in CASES fails."""

import inspect

import extras_stand_in
import pytest
import torch
import torch.nn.functional as F
from contracts import WAYS, build, check_layout_and_precision, filled, in_the_way, registered
from mmengine.structures import PixelData

from segplug.models.layers import norms_to_eval
from segplug.models.val_loss import scalars
from segplug.registry import MODELS
from segplug.structures import SegDataSample

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
ROWS = [dict(type=name, **{**SMALL, **row}) for name, rows in CASES.items() for row in rows]
every_row = pytest.mark.parametrize('cfg', ROWS, ids=str)
SIZES = [(16, 24), (17, 23)]
ODD = (33, 47)


@pytest.fixture(autouse=True)
def _extras(monkeypatch):
    extras_stand_in.install(monkeypatch)


def _levels(cfg: dict, size: tuple[int, int]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(2, c, *(-(-s // stride) for s in size), generator=generator)
            for c, stride in OWN_LEVELS.get(cfg['type'], LEVELS)]


def _inputs(cfg: dict, size: tuple[int, int]) -> list:
    """What comes before labels or metas: levels, and in a cascade logits of the first's size."""
    levels = _levels(cfg, size)
    if cfg['type'] not in CASCADED:
        return [levels]
    generator = torch.Generator().manual_seed(1)
    return [levels, torch.randn(2, 3, *levels[0].shape[2:], generator=generator)]


def _predict(head: torch.nn.Module, cfg: dict, size: tuple[int, int]) -> torch.Tensor:
    return head.predict(*_inputs(cfg, size), [dict(img_shape=size, pad_shape=size)] * 2, None)


def _samples(label: torch.Tensor, edges: bool = True) -> list[SegDataSample]:
    samples = []
    for one in label:
        samples.append(SegDataSample(metainfo=dict(ori_shape=one.shape)))
        samples[-1].gt_sem_seg = PixelData(data=one[None])
        if edges:
            samples[-1].gt_edge_map = PixelData(data=(one[None] == 1).to(one.dtype))
    return samples


def _label(num: int, size: tuple[int, int]) -> torch.Tensor:
    label = torch.randint(0, 3, (num, *size), dtype=torch.uint8,
                          generator=torch.Generator().manual_seed(2))
    label[:, :3] = 255
    return label


def _total(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return sum(value for name, value in losses.items() if 'loss' in name)


def test_every_head_has_a_row():
    assert registered('decode_heads') == set(CASES)


@pytest.mark.parametrize('name', CASES)
def test_signature_hides_nothing(name):
    parameters = inspect.signature(MODELS.get(name)).parameters
    assert 'num_classes' in parameters
    assert all(p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values())


@every_row
@pytest.mark.parametrize('size', SIZES)
def test_logits_have_a_channel_per_class(cfg, size):
    head = build(cfg).eval()
    found = [_predict(head, cfg, size)]
    if cfg['type'] != 'PointHead':  # whose forward is of points
        found.append(head(*_inputs(cfg, size)))
    for logits in found:
        assert logits.shape[:2] == (2, head.out_channels) == (2, 3)
        assert logits.isfinite().all()


@every_row
@pytest.mark.parametrize(('size', 'way'), [(SIZES[0], 'plain'), *((ODD, way) for way in WAYS)])
def test_loss_trains_every_parameter(cfg, size, way):
    head = build(cfg).train()
    inputs, precision = in_the_way(way, head, _inputs(cfg, size))
    with precision:
        losses = head.loss(*inputs, _samples(_label(2, size)), None)
    names = {name.rsplit('.', 1)[-1] for name in losses}
    assert ('acc_point' if cfg['type'] == 'PointHead' else 'acc_seg') in names
    assert 'loss_ce' in names or cfg['type'] in (*OWN_LEVELS, 'PointHead')
    _total(losses).backward()
    assert all(p.grad.isfinite().all() for p in head.parameters() if p.requires_grad)


@every_row
def test_a_batch_that_is_ignored_as_a_whole_is_finite_and_moves_nothing(cfg):
    head = build(cfg).train()
    losses = head.loss(*_inputs(cfg, (16, 24)), _samples(torch.full((2, 16, 24), 255)), None)
    _total(losses).backward()
    assert _total(losses).item() == 0
    assert all(value.isfinite() for value in losses.values())
    assert all((p.grad == 0).all() for p in head.parameters() if p.requires_grad)


@every_row
def test_state_dict_round_trips(cfg):
    first, second = build(cfg, 0).eval(), build(cfg, 1).eval()
    size = (16, 24)
    assert not torch.equal(_predict(first, cfg, size), _predict(second, cfg, size))
    second.load_state_dict(first.state_dict(), strict=True)
    assert torch.equal(_predict(first, cfg, size), _predict(second, cfg, size))


@every_row
@pytest.mark.parametrize('training', [False, True])
def test_memory_format_and_bf16_change_next_to_nothing(cfg, training):
    check_layout_and_precision(
        filled(MODELS.build(cfg)).train(training),
        lambda head, inputs: head.predict(*inputs, [dict(img_shape=ODD, pad_shape=ODD)] * 2, None),
        _inputs(cfg, ODD))


# --- the loss of a validation ----------------------------------------------------------------

@every_row
def test_in_evaluation_the_losses_are_those_of_training_without_its_noise(cfg):
    head, inputs = filled(MODELS.build(cfg)), _inputs(cfg, ODD)
    samples = _samples(_label(2, ODD))
    with torch.no_grad():
        calm = head.eval().loss(*inputs, samples, None)
        norms_to_eval(head.train())
        torch.manual_seed(0)  # PointHead's points; in evaluation they have a generator of this seed
        trained = head.loss(*inputs, samples, None)
    assert set(calm) == set(trained)
    assert all(torch.allclose(calm[name], trained[name]) for name in calm)


class _Levels(torch.nn.Module):
    """A backbone for a head's row: an image -> levels of the channels and strides it takes."""

    def __init__(self, cfg: dict) -> None:
        super().__init__()
        self.strides = [stride for _, stride in OWN_LEVELS.get(cfg['type'], LEVELS)]
        self.convs = torch.nn.ModuleList(torch.nn.Conv2d(3, channels, 1) for channels, _
                                         in OWN_LEVELS.get(cfg['type'], LEVELS))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [conv(F.adaptive_avg_pool2d(x, [-(-side // stride) for side in x.shape[2:]]))
                for conv, stride in zip(self.convs, self.strides, strict=True)]


def _segmentor(cfg: dict, test_cfg: dict) -> torch.nn.Module:
    """The head as the main one and as an auxiliary one, or as the second of a cascade."""
    heads = dict(type='EncoderDecoder', decode_head=cfg, auxiliary_head=[cfg])
    if cfg['type'] in CASCADED:
        first = dict(type='FCNHead', in_channels=10, channels=4, **SMALL)
        heads = dict(type='CascadeEncoderDecoder', num_stages=2, decode_head=[first, cfg])
    model = MODELS.build(dict(
        **heads, test_cfg=test_cfg, backbone=dict(type='ReLU'),  # until its place is taken
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.], std=[60.])))
    model.backbone = _Levels(cfg)
    return filled(model).eval()


@every_row
@pytest.mark.parametrize(('test_cfg', 'columns'), [
    (dict(mode='whole'), [slice(None)]),
    (dict(mode='slide', crop_size=(33, 32), stride=(33, 9)), [slice(0, 32), slice(15, 47)])],
    ids=['whole', 'slide'])
def test_a_validation_has_the_losses_of_the_segmentor(cfg, test_cfg, columns):
    """Of windows, laid side by side with the last shifted back inside, their mean."""
    model, label = _segmentor(cfg, test_cfg), _label(1, ODD)
    img = torch.randint(0, 256, (3, *ODD), dtype=torch.uint8,
                        generator=torch.Generator().manual_seed(3))
    model.with_val_losses = True
    sample, = model.val_step(dict(inputs=[img], data_samples=_samples(label)))
    with torch.no_grad():
        parts = [scalars(model.loss((img[None, ..., part].float() - 120) / 60,
                                    _samples(label[..., part], edges=False)))
                 for part in columns]
    assert sample.losses == pytest.approx(
        {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}, rel=1e-6)
    prefixes = ('decode_0', 'decode_1') if cfg['type'] in CASCADED else ('decode', 'aux_0')
    assert {name.split('.')[0] for name in sample.losses} == {'loss', *prefixes}
