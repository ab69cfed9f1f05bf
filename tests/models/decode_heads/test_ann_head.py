import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.decode_heads import ANNHead
from segplug.models.decode_heads.ann_head import PPMConcat


def _small(**options) -> ANNHead:
    torch.manual_seed(0)
    head = ANNHead(**{**dict(project_channels=2, key_pool_scales=(1, 2), in_channels=[3, 5],
                             in_index=[0, 1], channels=4, num_classes=3), **options}).eval()
    for block in (head.fusion, head.context):  # which start at zero
        for stage in block.stages:
            torch.nn.init.normal_(stage.out_project.weight)
    return head


def test_names_of_published_weights():
    head = ANNHead(project_channels=256, in_channels=[1024, 2048], in_index=[2, 3], channels=512,
                   num_classes=19, norm_cfg=dict(type='SyncBN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items()
              if '.bn.' not in k and 'bias' not in k}
    assert shapes == {
        'fusion.stages.0.key_project.conv.weight': (256, 1024, 1, 1),
        'fusion.stages.0.query_project.conv.weight': (256, 2048, 1, 1),
        'fusion.stages.0.value_project.weight': (256, 1024, 1, 1),
        'fusion.stages.0.out_project.weight': (2048, 256, 1, 1),
        'fusion.bottleneck.conv.weight': (2048, 4096, 1, 1),
        'bottleneck.conv.weight': (512, 2048, 3, 3),
        'context.stages.0.key_project.conv.weight': (256, 512, 1, 1),
        'context.stages.0.query_project.conv.weight': (256, 512, 1, 1),
        'context.stages.0.value_project.weight': (256, 512, 1, 1),
        'context.stages.0.out_project.weight': (512, 256, 1, 1),
        'context.bottleneck.conv.weight': (512, 1024, 1, 1),
        'conv_seg.weight': (19, 512, 1, 1)}
    assert not head.fusion.bottleneck.with_activation
    assert head.context.bottleneck.with_activation
    assert head.context.stages[0].query_project is head.context.stages[0].key_project


def test_places_are_the_means_of_cells():
    x = torch.arange(8.).view(1, 1, 2, 4)
    # one cell: 28 / 8; four: (0 + 1) / 2, (2 + 3) / 2, (4 + 5) / 2, (6 + 7) / 2
    assert PPMConcat((1, 2))(x).tolist() == [[[3.5, 0.5, 2.5, 4.5, 6.5]]]


def test_each_pixel_attends_to_the_places_of_the_low_level():
    """Section 3.2 and 3.3 of the paper, pixel by pixel, for 1 + 4 places and two stages."""
    head = _small(query_scales=(1, 1))
    low, high = torch.rand(1, 3, 4, 4), torch.rand(1, 5, 2, 4)

    def cells(y):  # of a map (1, C, h, w) with even sides
        h, w = y.shape[2] // 2, y.shape[3] // 2
        parts = [y, y[..., :h, :w], y[..., :h, w:], y[..., h:, :w], y[..., h:, w:]]
        return torch.stack([part.mean((2, 3))[0] for part in parts], 1)

    def block(module, low, high):
        context = 0
        for stage in module.stages:
            keys, values = cells(stage.key_project(low)), cells(stage.value_project(low))
            queries = stage.query_project(high)
            seen = torch.zeros_like(queries)
            for i in range(high.shape[2]):
                for j in range(high.shape[3]):
                    weights = (queries[0, :, i, j] @ keys / 2 ** 0.5).softmax(0)
                    seen[0, :, i, j] = values @ weights
            context = context + stage.out_project(seen)
        return module.bottleneck(torch.cat([context, high], 1))

    feat = block(head.fusion, low, high)
    assert (feat < 0).any()  # no activation there
    feat = head.bottleneck(feat)
    torch.testing.assert_close(head([low, high]), head.conv_seg(block(head.context, feat, feat)))


def test_pooled_queries_give_a_map_of_the_same_size():
    head = _small(query_scales=(1, 2))
    low, high = torch.rand(1, 3, 8, 8), torch.rand(1, 5, 5, 7)
    assert head([low, high]).shape == (1, 3, 5, 7)
    stage = head.fusion.stages[1]
    assert stage(high, low).shape == (1, 5, 2, 3)
    head.fusion.stages = head.fusion.stages[:1]
    assert not torch.allclose(head([low, high]), _small(query_scales=(1, 2))([low, high]))


def test_dropout_may_be_off_and_two_levels_are_needed():
    head = _small(dropout_ratio=0).train()
    assert head([torch.rand(1, 3, 4, 4), torch.rand(1, 5, 2, 2)]).shape == (1, 3, 2, 2)
    with pytest.raises(ConfigError, match='two levels'):
        _small(in_channels=[3], in_index=[0])
