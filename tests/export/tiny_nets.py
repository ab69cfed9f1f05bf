"""Very small segmentors for the tests of exports."""

import torch

from segplug.registry import MODELS


def net(head: dict | None = None, channels: int = 3, **changes) -> torch.nn.Module:
    """A stage of a ResNet and a head, with weights that tell classes apart.

    Args:
        head: Changes of an FCNHead of four classes.
        channels: C of the image.
        changes: Of the segmentor.
    """
    torch.manual_seed(0)
    model = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', bgr_to_rgb=channels == 3,
                               mean=[100. + i for i in range(channels)],
                               std=[50. + i for i in range(channels)]),
        backbone=dict(type='ResNet', depth=18, in_channels=channels, base_channels=4,
                      stem_channels=4, num_stages=1, strides=(1,), dilations=(1,),
                      out_indices=(0,)),
        decode_head=dict(dict(type='FCNHead', in_channels=4, channels=4, num_convs=1,
                              num_classes=4, in_index=0, norm_cfg=dict(type='SyncBN')),
                         **(head or {})))
    found = MODELS.build({**model, **changes})
    for conv in found.modules():
        if isinstance(conv, torch.nn.Conv2d):
            torch.nn.init.normal_(conv.weight, std=0.5)
    return found.eval()


def psp_net() -> torch.nn.Module:
    """One that pools over a grid of two by two cells."""
    return net(decode_head=dict(type='PSPHead', in_channels=4, channels=4, num_classes=4,
                                in_index=0, pool_scales=(1, 2)))
