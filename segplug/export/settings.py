"""What an export was asked for, checked before a model is loaded."""

from dataclasses import dataclass

from ..errors import ConfigError, did_you_mean

# format -> what its files are called
SUFFIXES = {'onnx': '.onnx', 'torch-export': '.pt2', 'torchscript': '.torchscript'}
_CHOICES = dict(format=tuple(SUFFIXES), layout=('NHWC', 'NCHW'), channel_order=('rgb', 'bgr'))


@dataclass(frozen=True)
class Settings:
    """What goes into the file.

    Attributes:
        format: 'onnx', 'torch-export' or 'torchscript'.
        shape: (H, W) of the images; with ``dynamic`` one of the sizes that are checked.
        dynamic: Whether images of other sizes may come.
        batch: Whether any number of images may come at once; else one.
        with_preprocess: The file takes uint8 images as they were read; else what the network
            takes, float32 (N, C, H, W).
        layout: Of images with ``with_preprocess``: 'NHWC' or 'NCHW'.
        channel_order: 'rgb' or 'bgr', of three channels, with ``with_preprocess``.
        upsample: Whether the logits come at the size of the image, not at the head's own.
        argmax: The file gives labels, at the size of the image.
        opset: Of ONNX; None takes the exporter's.

    Raises:
        ConfigError: A value is not allowed.
    """

    format: str = 'onnx'
    shape: tuple[int, int] = (512, 1024)
    dynamic: bool = False
    batch: bool = False
    with_preprocess: bool = False
    layout: str = 'NHWC'
    channel_order: str = 'rgb'
    upsample: bool = False
    argmax: bool = False
    opset: int | None = None

    def __post_init__(self) -> None:
        for key, allowed in _CHOICES.items():
            if (value := getattr(self, key)) not in allowed:
                raise ConfigError(f'There is no such {key}.', got=repr(value), culprit=str(value),
                                  expected=', '.join(map(repr, allowed)),
                                  fix=did_you_mean(str(value), allowed))
        shape = self.shape
        if not (isinstance(shape, tuple | list) and len(shape) == 2 and all(
                isinstance(side, int) and side > 0 for side in shape)):
            raise ConfigError('This is no size of an image.', got=shape,
                              expected='height and width in pixels')
        object.__setattr__(self, 'shape', tuple(shape))
        if self.opset is not None and self.format != 'onnx':
            raise ConfigError('Only ONNX has an opset.', got=f'opset={self.opset}, '
                              f'format={self.format!r}', culprit='opset')

    @property
    def output(self) -> str:
        """The name of what the file gives."""
        return 'labels' if self.argmax else 'logits'

    @property
    def at_image_size(self) -> bool:
        """Whether what the file gives has the size of the image."""
        return self.upsample or self.argmax

    @property
    def spatial(self) -> tuple[int, int]:
        """Which dimensions of the input are height and width."""
        return (1, 2) if self.with_preprocess and self.layout == 'NHWC' else (2, 3)

    @property
    def away(self) -> str:
        """How to ask for less, '' where nothing may change."""
        given = {'--dynamic': self.dynamic, '--dynamic-batch': self.batch}
        flags = ' or '.join(flag for flag, is_given in given.items() if is_given)
        return flags and f'leave {flags} away'

    @property
    def any_dims(self) -> dict[int, str]:
        """The dimensions of the input that may change, and what they are called."""
        names = {0: 'batch'} if self.batch else {}
        return {**names, **dict(zip(self.spatial, ('height', 'width'), strict=True))} \
            if self.dynamic else names
