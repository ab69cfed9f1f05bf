"""Any backbone of timm that hands out feature maps, under mmsegmentation's name and arguments.

https://github.com/huggingface/pytorch-image-models; optional: ``pip install "segplug[timm]"``.
"""

from collections.abc import Sequence

import torch
from torch import nn

from ...errors import ConfigError, ShapeError, did_you_mean
from ...registry import MODELS
from ..layers import Backbone
from ..layers.extras import import_extra


@MODELS.register_module()
class TIMMBackbone(Backbone):
    """A model of timm, made with ``features_only=True``; its weights are below ``timm_model``.

    Args:
        model_name: Name in timm, with a tag or without, 'convnext_tiny.fb_in1k'.
        features_only: True; timm's models without it hand out no levels.
        pretrained: Load the weights that timm has for the name.
        checkpoint_path: File of weights, read by timm.
        in_channels: Channels of the image.
        init_cfg: mmengine's initialisation; default timm's own.
        out_indices: Levels that are handed out; default all that the model has.
        output_stride: 8, 16 or 32, for the models that timm can dilate.
        drop_rate, drop_path_rate, act_layer: timm's, for the models that have them.
        norm_layer: timm's, or a norm of the registry, such as 'SyncBN'.
        img_size: Size of the image, for the transformers that must know it.
        model_args: Arguments of this model that are none of the above.

    Attributes:
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride.

    Raises:
        ConfigError: timm is absent, or has no such model; the model takes no such argument,
            cannot dilate, or gives tokens in place of maps.
    """

    def __init__(self, model_name: str, features_only: bool = True, pretrained: bool = True,
                 checkpoint_path: str = '', in_channels: int = 3,
                 init_cfg: dict | list | None = None, *,
                 out_indices: Sequence[int] | None = None, output_stride: int | None = None,
                 drop_rate: float | None = None, drop_path_rate: float | None = None,
                 norm_layer: str | None = None, act_layer: str | None = None,
                 img_size: int | Sequence[int] | None = None,
                 model_args: dict | None = None) -> None:
        timm = import_extra('timm', 'timm', 'TIMMBackbone')
        super().__init__(init_cfg)
        if not features_only:
            raise ConfigError('A backbone hands out levels, a classifier of timm does not.',
                              got='features_only=False', expected='True', culprit='features_only')
        if not timm.is_model(model_name):
            raise ConfigError('timm has no such model.', got=repr(model_name),
                              culprit='model_name',
                              fix=did_you_mean(model_name, timm.list_models()))
        chosen = dict(
            out_indices=None if out_indices is None else tuple(out_indices),
            output_stride=output_stride, drop_rate=drop_rate, drop_path_rate=drop_path_rate,
            norm_layer=MODELS.get(norm_layer) or norm_layer if norm_layer else None,
            act_layer=act_layer, img_size=img_size)
        options = {key: value for key, value in chosen.items() if value is not None}
        self.timm_model = _create(timm, model_name, dict(
            features_only=True, pretrained=bool(pretrained), in_chans=in_channels,
            checkpoint_path=checkpoint_path, **options, **(model_args or {})))
        info = self.timm_model.feature_info
        self.out_channels = tuple(info.channels())
        self.out_strides = tuple(info.reduction())
        if output_stride is not None and max(self.out_strides) > output_stride:
            raise _undilatable(model_name, output_stride, f'strides of {self.out_strides}')
        self.layout = _layout_of(self.timm_model, model_name)
        if pretrained or checkpoint_path:
            self._is_init = True  # mmengine's mark: no initialisation runs over the weights

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, in_channels, H, W) float, normalised -> levels (N, out_channels[i], h, w).

        How H pixels that ``out_strides[i]`` does not divide are rounded is the model's affair.

        Raises:
            ShapeError: The model takes no image of this size, or gives other channels than it
                declares.
        """
        try:
            levels = self.timm_model(x)
        except AssertionError as error:  # how models of a fixed size refuse another
            raise ShapeError('The model of timm does not take this image.', got=_said(error),
                             fix='set img_size to the size of crops and windows, or take a '
                             'model of any size') from error
        if self.layout == 'NHWC':
            levels = [level.permute(0, 3, 1, 2).contiguous() for level in levels]
        found = tuple(level.shape[1] for level in levels)
        if found != self.out_channels:
            raise ShapeError('The model of timm gives other levels than it declares.', got=found,
                             expected=f'{self.out_channels} channels')
        return tuple(levels)


def _create(timm, name: str, options: dict) -> nn.Module:
    output_stride = options.get('output_stride')
    try:
        return timm.create_model(name, **options)
    except (TypeError, AssertionError, NotImplementedError, IndexError) as error:
        # timm's models say in any of these ways that they have no such argument or value.
        if output_stride is not None:
            raise _undilatable(name, output_stride, _said(error)) from error
        raise ConfigError(f'timm cannot make {name} with these arguments.', culprit='model_name',
                          got=f'{options}, {_said(error)}',
                          fix='leave out what this model does not have') from error


def _said(error: Exception) -> str:
    return f'{type(error).__name__}: {error}' if str(error) else type(error).__name__


def _undilatable(name: str, output_stride: int, got: str) -> ConfigError:
    return ConfigError(
        f'{name} of timm cannot be dilated to an output stride of {output_stride}.', got=got,
        culprit='output_stride', fix='leave output_stride out, or take a model that dilates, such '
        'as a ResNet, a ResNeXt, a ConvNeXt or an EfficientNet of timm, or one of segplug')


def _layout_of(net: nn.Module, name: str) -> str:
    """How the levels lie: timm's Format, 'NCHW' where a model names none."""
    layout = getattr(net, 'output_fmt', 'NCHW')
    layout = getattr(layout, 'value', layout)
    if layout not in ('NCHW', 'NHWC'):
        raise ConfigError(f'{name} of timm gives tokens, not maps.', got=layout,
                          expected='NCHW or NHWC', culprit='model_name')
    return layout
