"""What a file says of itself, so that it can be run without the config it was made from.

One JSON document: the value of ``segplug`` in the metadata of ONNX, the extra file
``segplug.json`` of the formats of torch.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from .. import __version__
from .graph import network_order, num_channels, padding_of, threshold_of
from .settings import Settings


def describe(net: nn.Module, settings: Settings, *, classes: Sequence[str], palette: Sequence,
             dataset: Mapping, resize: Mapping | None, multiple: int,
             source: Mapping[str, str | None]) -> dict:
    """The document.

    Args:
        net: The segmentor.
        settings: What was asked for.
        classes: K names.
        palette: K (r, g, b) in [0, 255].
        dataset: ``reduce_zero_label`` and the like, of the test data set.
        resize: The test pipeline's step that changes the size of images, or None.
        multiple: What the sides of an image have to be a multiple of.
        source: ``config`` and ``checkpoint``, as they were called.
    """
    return dict(
        segplug=__version__, torch=torch.__version__, **source, mode='whole',
        classes=list(classes), palette=[[int(value) for value in colour] for colour in palette],
        input=_input(net, settings, multiple), preprocess=_preprocess(net, settings, resize),
        output=_output(net, settings), labels=_labels(net, len(classes), dataset))


def _input(net: nn.Module, settings: Settings, multiple: int) -> dict:
    channels = num_channels(net)
    order = settings.channel_order if settings.with_preprocess else network_order(net)
    sides = (None, None) if settings.dynamic else settings.shape
    return dict(name='image', dtype='uint8' if settings.with_preprocess else 'float32',
                layout=settings.layout if settings.with_preprocess else 'NCHW',
                channels=channels, channel_order=order if channels == 3 else None,
                batch=None if settings.batch else 1, height=sides[0], width=sides[1],
                multiple_of=multiple)


def _preprocess(net: nn.Module, settings: Settings, resize: Mapping | None) -> dict:
    """``mean`` and ``std`` are for channels in ``channel_order``, of values in 0..255."""
    numbers = {name: None if (found := getattr(net.data_preprocessor, name, None)) is None
               else found.flatten().tolist() for name in ('mean', 'std')}
    least, divisor = padding_of(net)
    order = network_order(net) if num_channels(net) == 3 else None
    return dict(inside=settings.with_preprocess, **numbers, channel_order=order,
                resize=resize, pad_to_multiple=divisor,
                pad_to_at_least=list(least) if any(least) else None,
                pad_value=getattr(net.data_preprocessor, 'pad_val', 0))


def _output(net: nn.Module, settings: Settings) -> dict:
    return dict(name=settings.output, layout='NHW' if settings.argmax else 'NKHW',
                size='image' if settings.at_image_size else 'head',
                align_corners=bool(net.align_corners))


def _labels(net: nn.Module, num_classes: int, dataset: Mapping) -> dict:
    binary = net.out_channels == 1
    return dict(num_classes=num_classes, one_logit=binary,
                threshold=threshold_of(net) if binary else None,
                reduce_zero_label=bool(dataset.get('reduce_zero_label')))
