"""How to test: the keys of a segmentor's ``test_cfg``, checked when the model is built.

A misspelt key or a value that cannot be meant is an error before any image is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ..errors import ConfigError, did_you_mean

_CHOICES = dict(mode=('whole', 'slide'), window_average=('logits', 'probs'),
                upsample=('once', 'twice'))


@dataclass(frozen=True)
class TestCfg:
    """How to test; the ``test_cfg`` of a segmentor.

    Attributes:
        mode: 'whole' or 'slide'.
        crop_size: (H, W) of a window, for 'slide'.
        stride: (H, W) from one window to the next, for 'slide'.
        scales: Sizes to test at, as factors of the packed image or of ``base_size``.
        base_size: Long side in pixels at scale 1.0; None takes the packed image as it is.
        flip: Whether each scale comes with its mirror image.
        window_average: Whether overlapping windows average 'logits', as mmsegmentation does, or
            'probs', as the Cityscapes recipe of REFERENCE.md does.
        upsample: 'once' straight to the original size, or 'twice', through the size of the
            network's input, as mmsegmentation does.
        save_logits: Whether the result keeps the (K, H, W) scores.
        window_batch: Windows that go through the network at once. None is 4 on an accelerator and
            1 on a CPU, whose caches a batch only overruns.

    Raises:
        ConfigError: A value is not allowed.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    mode: str = 'whole'
    crop_size: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    scales: tuple[float, ...] = (1.0,)
    base_size: int | None = None
    flip: bool = False
    window_average: str = 'logits'
    upsample: str = 'once'
    save_logits: bool = False
    window_batch: int | None = None

    def __post_init__(self) -> None:
        for key, allowed in _CHOICES.items():
            if (value := getattr(self, key)) not in allowed:
                raise ConfigError(f'test_cfg has a wrong {key}.', got=repr(value),
                                  expected=' or '.join(map(repr, allowed)), culprit=str(value),
                                  fix=did_you_mean(str(value), allowed))
        for key in ('crop_size', 'stride'):
            object.__setattr__(self, key, _pair(key, getattr(self, key)))
        object.__setattr__(self, 'scales', _scales(self.scales))
        for key in ('flip', 'save_logits'):
            _require(isinstance(getattr(self, key), bool), key, getattr(self, key), 'a bool')
        _require(self.base_size is None or _positive(self.base_size), 'base_size',
                 self.base_size, 'a positive number of pixels, or None')
        _require(self.window_batch is None or _positive(self.window_batch), 'window_batch',
                 self.window_batch, 'a positive whole number, or None')
        if self.mode == 'slide':
            self._check_slide()

    def _check_slide(self) -> None:
        for key in ('crop_size', 'stride'):
            _require(getattr(self, key) is not None, key, None, "(H, W) for mode='slide'")
        _require(all(s <= c for s, c in zip(self.stride, self.crop_size, strict=True)), 'stride',
                 self.stride, f'at most crop_size {self.crop_size}, or pixels stay untested')

    @classmethod
    def from_dict(cls, cfg: Mapping | None) -> 'TestCfg':
        """From a config's ``test_cfg``; an unknown key is a `ConfigError` with the nearest."""
        names = [f.name for f in fields(cls)]
        for key in cfg or {}:
            if key not in names:
                raise ConfigError(f'test_cfg has no key {key!r}.', culprit=str(key),
                                  expected=f'one of {", ".join(names)}',
                                  fix=did_you_mean(str(key), names))
        return cls(**(cfg or {}))

    @property
    def num_augs(self) -> int:
        """Maps that are averaged for one image."""
        return len(self.scales) * (2 if self.flip else 1)

    @property
    def by_window(self) -> bool:
        """Whether overlapping windows average probabilities, not logits."""
        return self.mode == 'slide' and self.window_average == 'probs'

    @property
    def averages_probs(self) -> bool:
        """Whether what is averaged are probabilities: then the scores are, too."""
        return self.num_augs > 1 or self.by_window


def _require(holds: bool, key: str, got, expected: str) -> None:
    if not holds:
        raise ConfigError(f'test_cfg has a wrong {key}.', got=repr(got), expected=expected,
                          culprit=key)


def _positive(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _pair(key: str, value) -> tuple[int, int] | None:
    if value is None:
        return None
    pair = (value, value) if isinstance(value, int) else value
    _require(isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(_positive, pair)), key,
             value, '(H, W), two positive whole numbers')
    return tuple(pair)


def _scales(value) -> tuple[float, ...]:
    given = (value,) if isinstance(value, (int, float)) else value
    _require(isinstance(given, (tuple, list)) and len(given) > 0
             and all(isinstance(s, (int, float)) and s > 0 for s in given), 'scales', value,
             'positive factors such as [0.5, 1.0]')
    return tuple(float(s) for s in given)
