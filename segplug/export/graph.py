"""The module that goes into the file: pixels or normalised images in, logits or labels out.

It computes what `EncoderDecoder.predict` does for one image at one scale, whole, and takes several
images at once. N batch, C channels, K classes, H W pixels.
"""

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..ops.fuse import label_dtype
from ..ops.resize import resize
from ..ops.sizes import top_left
from ..ops.views import Normalisation
from .settings import Settings


def normalisation_of(net: nn.Module, reverse: bool = False) -> Normalisation:
    """The mean and std of a segmentor's preprocessor.

    Raises:
        ConfigError: It is of a kind that this does not know.
    """
    preprocessor = net.data_preprocessor
    if not hasattr(preprocessor, 'padded_size'):
        raise ConfigError(
            f'{type(preprocessor).__name__} prepares images in a way that no file can hold.',
            expected='SegDataPreProcessor',
            fix='leave --with-preprocess away and give the file what the network takes')
    if getattr(preprocessor, 'mean', None) is None:
        return Normalisation(reverse=reverse, pad_val=preprocessor.pad_val)
    return Normalisation(preprocessor.mean, preprocessor.std, reverse, preprocessor.pad_val)


def num_channels(net: nn.Module) -> int:
    """C of the images: as many as there are means, else what the first convolution takes."""
    mean = getattr(net.data_preprocessor, 'mean', None)
    if mean is not None and mean.numel() > 1:
        return mean.numel()
    return next(m.in_channels for m in net.modules() if isinstance(m, nn.Conv2d))


def network_order(net: nn.Module) -> str:
    """'rgb' or 'bgr': the order of three channels in which the network sees them.

    Images are read as BGR; the preprocessor turns them around, or not.
    """
    return 'rgb' if getattr(net.data_preprocessor, 'channel_conversion', False) else 'bgr'


def threshold_of(net: nn.Module) -> float:
    """For K = 1: the logit above which a pixel is class 1."""
    given = net.main_head.threshold
    return float(torch.tensor(0.5 if given is None else given, dtype=torch.float64).logit())


def padding_of(net: nn.Module) -> tuple[tuple[int, int], int]:
    """((H, W) at least, divisor) to which the preprocessor pads in a test."""
    cfg = getattr(net.data_preprocessor, 'test_cfg', None) or {}
    return tuple(cfg.get('size') or (0, 0)), cfg.get('size_divisor') or 1


class Graph(nn.Module):
    """See the file. (N, H, W, C) or (N, C, H, W) -> logits (N, K, h, w) or labels (N, H, W).

    Args:
        net: An `EncoderDecoder` in eval mode.
        settings: What was asked for.
        num_images: N of the input with which the graph is recorded.

    Raises:
        ConfigError: The segmentor is of another kind, or cannot have what was asked for.
    """

    def __init__(self, net: nn.Module, settings: Settings, num_images: int) -> None:
        super().__init__()
        if not (hasattr(net, 'encode_decode') and hasattr(net, 'tta_cfg')):
            raise ConfigError(f'{type(net).__name__} cannot be exported.',
                              expected='EncoderDecoder, or a class that is made of it')
        self.net, self.settings, self.num_images = net, settings, num_images
        self.channels, self.order = num_channels(net), network_order(net)
        self.padding, self.normalisation = padding_of(net), None
        if settings.with_preprocess:
            self.normalisation = normalisation_of(
                net, reverse=self.channels == 3 and settings.channel_order != self.order)
            if settings.dynamic and any(self.padding[0]):
                raise ConfigError(
                    'The preprocessor pads images to one size, so the file cannot take any size.',
                    got=f'test_cfg of data_preprocessor: size={self.padding[0]}',
                    culprit='size', fix='leave --dynamic or --with-preprocess away')
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """uint8 (N, H, W, C) or (N, C, H, W), or float (N, C, H, W) -> logits or labels."""
        if self.settings.spatial == (1, 2):
            image = image.permute(0, 3, 1, 2).contiguous()  # else each layer asks if N is 1
        height, width = image.shape[2:]
        x = image if self.normalisation is None else self._prepared(image)
        size = tuple(x.shape[2:])
        meta = dict(ori_shape=size, img_shape=size, pad_shape=size)
        logits = self.net.encode_decode(x, [dict(meta) for _ in range(self.num_images)])
        if not self.settings.at_image_size:
            return logits
        logits = resize(logits, size=size, mode='bilinear',
                        align_corners=self.net.align_corners)
        if self.normalisation is not None and self.padding != ((0, 0), 1):
            logits = top_left(logits, height, width)
        return labels(logits, threshold_of(self.net)) if self.settings.argmax else logits

    def _prepared(self, image: Tensor) -> Tensor:
        (least_h, least_w), divisor = self.padding
        height, width = image.shape[2:]
        image = self.normalisation(image)
        if self.padding == ((0, 0), 1):
            return image
        if not self.settings.dynamic:
            height, width = max(least_h, int(height)), max(least_w, int(width))
        right = width + -width % divisor - image.shape[3]
        bottom = height + -height % divisor - image.shape[2]
        return nn.functional.pad(image, (0, right, 0, bottom), value=self.normalisation.pad_val)


def labels(logits: Tensor, threshold: float) -> Tensor:
    """(N, K, H, W) -> (N, H, W) uint8, or int32 where K > 256; ``threshold`` is for K = 1."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > threshold).to(torch.uint8)
    return logits.argmax(1).to(label_dtype(logits.shape[1]))


def without_training_parts(net: nn.Module) -> nn.Module:
    """Take the auxiliary heads out of a segmentor of ours; those of others may use theirs."""
    if type(net).__module__.startswith('segplug.') and hasattr(net, 'auxiliary_head'):
        del net.auxiliary_head
    return net
