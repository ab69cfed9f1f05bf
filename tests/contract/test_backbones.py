"""What every registered backbone keeps. A backbone without a row in CASES fails."""

import extras_stand_in
import pytest
from contracts import check_layout_and_precision, every, filled, registered

from segplug.contract.backbones import CHECKS, BackboneCase

SMALL = dict(depth=18, stem_channels=4, base_channels=4)
HR_EXTRA = dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,),
                num_channels=(2,)),
    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1),
                num_channels=(3, 4)),
    stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(1, 1, 1),
                num_channels=(3, 4, 5)),
    stage4=dict(num_modules=2, num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1),
                num_channels=(3, 4, 5, 6)))
STDC = dict(stdc_type='STDCNet1', in_channels=3, channels=(4, 4, 8, 16, 32),
            bottleneck_type='cat', norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))
CASES = {
    'BiSeNetV1': [dict(backbone_cfg=dict(type='ResNet', **SMALL), context_channels=(4, 16, 32),
                       spatial_channels=(4, 4, 4, 6), out_channels=5, out_indices=indices)
                  for indices in ((0, 1, 2), (2, 0))],
    'DenseNet': [dict(depth=121, growth_rate=4, stem_channels=8, output_stride=8, out_stem=True)],
    'DPN': [dict(depth=68, output_stride=16, out_stem=True)],
    'DDRNet': [dict(channels=4, ppm_channels=6)],
    'ICNet': [dict(backbone_cfg=dict(type='ResNetV1c', **SMALL, strides=(1, 2, 1, 1),
                                     dilations=(1, 1, 2, 4)),
                   layer_channels=(8, 32), light_branch_middle_channels=4, psp_out_channels=6,
                   out_channels=(4, 5, 6))],
    'InceptionResNetV2': [dict(num_blocks=(1, 1, 1), output_stride=16, out_stem=True)],
    'OctResNet': [dict(depth=26, base_channels=4, output_stride=8, out_stem=True)],
    'SENet': [dict(arch='se_resnext50_32x4d', base_channels=16, output_stride=8, out_stem=True)],
    'VGG': [dict(depth=11, base_channels=4, norm_cfg=dict(type='BN'), out_stem=True)],
    'PIDNet': [dict(channels=4, ppm_channels=6),
               dict(channels=4, ppm_channels=6, num_stem_blocks=3, num_branch_blocks=4,
                    align_corners=True)],
    'BiSeNetV2': [dict(detail_channels=(4, 4, 6), semantic_channels=(4, 4, 4, 6), bga_channels=6),
                  dict(detail_channels=(4, 4, 6), semantic_channels=(4, 4, 4, 6), bga_channels=6,
                       out_indices=(0,), align_corners=True, semantic_expansion_ratio=2)],
    'STDCContextPathNet': [dict(backbone_cfg=dict(type='STDCNet', **STDC), out_channels=4,
                                last_in_channels=(32, 16),
                                ffm_cfg=dict(in_channels=12, out_channels=8, scale_factor=2))],
    'STDCNet': [STDC, dict(STDC, stdc_type='STDCNet2', bottleneck_type='add', num_convs=3,
                           with_final_conv=True)],
    'HRNet': [dict(extra=HR_EXTRA), dict(extra=HR_EXTRA, multiscale_output=False)],
    'ResNeSt': [dict(SMALL, depth=50),
                dict(SMALL, depth=50, groups=2, radix=1, avg_down_stride=False,
                     strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))],
    'ResNeXt': [dict(SMALL, depth=50, groups=2)],
    'ResNet': [SMALL, dict(**SMALL, out_stem=True), dict(SMALL, depth=50, style='caffe'),
               dict(SMALL, depth=50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4),
                    contract_dilation=True, out_stem=True)],
    'ResNetV1c': [SMALL, dict(**SMALL, out_stem=True, out_indices=(1, 3))],
    'CGNet': [dict(num_channels=(4, 4, 8), num_blocks=(1, 3), reductions=(2, 4))],
    'ERFNet': [dict(enc_downsample_channels=(4, 6, 8), enc_stage_non_bottlenecks=(1, 2),
                    enc_non_bottleneck_dilations=(2, 4), enc_non_bottleneck_channels=(6, 8),
                    dec_upsample_channels=(6, 4), dec_stages_non_bottleneck=(1, 1),
                    dec_non_bottleneck_channels=(6, 4))],
    'FastSCNN': [dict(downsample_dw_channels=(4, 5), global_in_channels=6, higher_in_channels=6,
                      global_block_channels=(6, 7, 8), global_out_channels=10,
                      lower_in_channels=10, fusion_out_channels=5, out_indices=(2, 1, 0))],
    'MobileNetV2': [dict(widen_factor=0.125),
                    dict(widen_factor=0.125, strides=(1, 2, 2, 1, 1, 1, 1), out_indices=(6,),
                         dilations=(1, 1, 1, 2, 2, 4, 4))],
    'MobileNetV3': [dict(out_indices=(0, 1, 12)), dict(arch='large', out_indices=(1, 3, 16))],
    'TIMMBackbone': [dict(model_name='resnet18', pretrained=False),
                     dict(model_name='resnet18', pretrained=False, output_stride=8,
                          out_indices=(1, 4))],
    'UNet': [dict(base_channels=2), dict(base_channels=2, upsample_cfg=dict(type='DeconvModule'),
                                         strides=(1, 2, 1, 2, 1),
                                         downsamples=(True, False, True, False))],
    'ResNetV1d': [SMALL, dict(**SMALL, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))],
}
# By how many pixels a level may miss ceil(H / stride), where published weights depend on it.
ROUNDED_OTHERWISE = {'ICNet': 1}
ROWS = [BackboneCase(dict(type=name, **row), rounded=ROUNDED_OTHERWISE.get(name, 0), strict=True)
        for name, rows in CASES.items() for row in rows]


@pytest.fixture(autouse=True)
def _extras(monkeypatch):
    extras_stand_in.install(monkeypatch)


def test_every_backbone_has_a_row():
    assert registered('backbones') == set(CASES)


@every(ROWS, CHECKS)
def test_it_keeps_its_contract(case, check):
    check(case)


@pytest.mark.parametrize('case', ROWS, ids=str)
@pytest.mark.parametrize('training', [False, True])
def test_memory_format_and_bf16_change_next_to_nothing(case, training):
    # Levels of stride 32 keep a dozen values for the batch norms: with fewer, rounding decides.
    check_layout_and_precision(filled(case.build()).train(training),
                               lambda net, image: net(image), case.inputs((65, 97)))
