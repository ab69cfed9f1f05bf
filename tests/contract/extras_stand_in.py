"""timm and segmentation_models.pytorch as the adapters see them, for where the real ones do not
import: their functions, arguments, attributes and ways of failing over networks of a few channels.
"""

import importlib
import sys
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

SMP = 'segmentation_models_pytorch.decoders'


# --- timm ------------------------------------------------------------------------------------

class _FeatureInfo:
    def __init__(self, channels, strides):
        self._channels, self._strides = channels, strides

    def channels(self):
        return list(self._channels)

    def reduction(self):
        return list(self._strides)


class _Net(nn.Module):
    """Five levels of strides 2 to 32, or ``output_stride``."""

    widths, output_fmt = (4, 4, 6, 8, 10), 'NCHW'

    def __init__(self, in_chans=3, output_stride=32, out_indices=(0, 1, 2, 3, 4),
                 norm_layer=nn.BatchNorm2d, drop_path_rate=0.0):
        super().__init__()
        self.blocks, self.out_indices, self.drop_path_rate = nn.ModuleList(), out_indices, \
            drop_path_rate
        strides, stride, width = [], 1, in_chans
        for channels in self.widths:
            step = 2 if stride < output_stride else 1
            stride *= step
            strides.append(stride)
            self.blocks.append(nn.Sequential(
                nn.Conv2d(width, channels, 3, step, 1, bias=False), norm_layer(channels),
                nn.ReLU()))
            width = channels
        self.feature_info = _FeatureInfo([self.widths[i] for i in out_indices],
                                         [strides[i] for i in out_indices])

    def forward(self, x):
        levels = []
        for block in self.blocks:
            x = block(x)
            levels.append(x)
        return [levels[i] for i in self.out_indices]


class _Transformer(_Net):
    """Channels come last, images have one size, nothing dilates."""

    output_fmt = 'NHWC'

    def __init__(self, in_chans=3, img_size=32, out_indices=(1, 2, 3, 4)):
        super().__init__(in_chans, out_indices=out_indices)
        self.img_size = img_size

    def forward(self, x):
        assert x.shape[2] == self.img_size, f"Input height ({x.shape[2]}) doesn't match model"
        return [level.permute(0, 2, 3, 1) for level in super().forward(x)]


class _Undilated(_Net):
    def __init__(self, in_chans=3, output_stride=32, out_indices=(0, 1, 2, 3, 4)):
        assert output_stride == 32
        super().__init__(in_chans, out_indices=out_indices)


class _Deaf(_Net):
    """Takes an output stride and does not keep to it."""

    def __init__(self, in_chans=3, output_stride=32):
        super().__init__(in_chans)


class _Tokens(_Net):
    output_fmt = 'NLC'


class _Liar(_Net):
    def forward(self, x):
        return [level[:, :1] for level in super().forward(x)]


NETS = {'resnet18': _Net, 'swin_tiny': _Transformer, 'vgg11': _Undilated, 'deaf': _Deaf,
        'tokens': _Tokens, 'liar': _Liar}


def timm() -> ModuleType:
    """A module like timm, whose models are `NETS`."""
    module = ModuleType('timm')
    module.is_model = lambda name: name.partition('.')[0] in NETS
    module.list_models = lambda: list(NETS)

    def create_model(model_name, pretrained=False, checkpoint_path='', features_only=False,
                     **kwargs):
        assert features_only
        net = NETS[model_name.partition('.')[0]](**kwargs)
        if checkpoint_path:
            net.load_state_dict(torch.load(checkpoint_path, weights_only=True))
        net.was_pretrained = pretrained
        return net

    module.create_model = create_model
    return module


# --- segmentation_models.pytorch -------------------------------------------------------------

class UnetDecoder(nn.Module):
    """From the deepest level up; the first one gives its size alone."""

    def __init__(self, encoder_channels, decoder_channels, n_blocks=5, use_norm='batchnorm',
                 interpolation_mode='nearest'):
        super().__init__()
        if n_blocks != len(decoder_channels):
            raise ValueError(f'Model depth is {n_blocks}')
        deepest, *skips = encoder_channels[:0:-1]
        widths = [deepest, *decoder_channels[:-1]]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width + skip, out, 3, padding=1, bias=False),
                          nn.BatchNorm2d(out) if use_norm == 'batchnorm' else nn.Identity(),
                          nn.ReLU())
            for width, skip, out in zip(widths, [*skips, 0], decoder_channels, strict=True))

    def forward(self, features):
        x, *skips = features[:0:-1]
        for i, block in enumerate(self.blocks):
            x = F.interpolate(x, features[-2 - i].shape[2:])
            x = block(torch.cat([x, skips[i]], 1) if i < len(skips) else x)
        return x


class LinknetDecoder(nn.Module):
    """Doubles a level and adds the next finer one."""

    def __init__(self, encoder_channels, prefinal_channels=32, n_blocks=5, use_norm='batchnorm'):
        super().__init__()
        widths = [*encoder_channels[:0:-1], prefinal_channels]
        self.blocks = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2)
                                    for a, b in zip(widths, widths[1:], strict=False))

    def forward(self, features):
        x, *skips = features[:0:-1]
        for i, block in enumerate(self.blocks):
            x = block(x) + skips[i] if i < len(skips) else block(x)
        return x


class DeepLabV3PlusDecoder(nn.Module):
    """Grows the deepest level to the size of the second one that is no image."""

    def __init__(self, encoder_channels, encoder_depth, out_channels, atrous_rates, output_stride,
                 aspp_separable, aspp_dropout):
        super().__init__()
        self.aspp = nn.Conv2d(encoder_channels[-1], out_channels, 1)
        self.up = nn.Upsample(scale_factor=4 if output_stride == 16 else 2)
        self.block2 = nn.Conv2d(out_channels + encoder_channels[2], out_channels, 1)

    def forward(self, features):
        return self.block2(torch.cat([self.up(self.aspp(features[-1])), features[2]], 1))


DECODERS = {'unet': UnetDecoder, 'linknet': LinknetDecoder, 'deeplabv3': DeepLabV3PlusDecoder}


def decoders() -> dict[str, ModuleType]:
    """Modules of smp by name, each with one decoder."""
    found = {}
    for name, cls in DECODERS.items():
        module = found[f'{SMP}.{name}.decoder'] = ModuleType(f'{SMP}.{name}.decoder')
        setattr(module, cls.__name__, cls)
    return found


# --- which of them ---------------------------------------------------------------------------

def why_not(name: str) -> str | None:
    """Why the real module does not import; None if it does."""
    try:
        importlib.import_module(name)
    except (ImportError, RuntimeError, OSError) as error:
        return f'{name} does not import here: {error}'
    return None


def install(monkeypatch, always: bool = False) -> None:
    """Put the stand-ins where the real packages do not import, or ``always``."""
    modules = {'timm': timm(), **decoders()}
    for name, module in modules.items():
        if always or why_not(name):
            monkeypatch.setitem(sys.modules, name, module)
