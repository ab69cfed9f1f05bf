"""How fast a config predicts: the network alone, and the whole step from an image to its labels."""

import contextlib
import logging
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from terminaltables import AsciiTable

from ..analysis.latency import (
    PERCENTILES,
    Latency,
    PeakMemory,
    Stages,
    WarmUp,
    timed,
    warm_up,
)
from ..datasets.files import displayed
from ..engine.progress import Terminal
from ..engine.speed import Speed, speed_up
from ..errors import ConfigError, SegplugError
from ..ops import memory
from ..registry import DATASETS, MODELS
from .checkpoints import test_dataset
from .config import load_config
from .devices import on_device
from .model import Model, load_model
from .provenance import explained
from .results import Shown
from .testing import use_aug_test, use_speed
from .zoo import does_not_fit, image_size, input_channels

NETWORK, STEP = 'network alone', 'predict step'
STAGES = ('pipeline', 'resize, normalise', 'network', 'fuse, arg-max')


@dataclass(frozen=True)
class SpeedResult(Shown):
    """Times of a network alone and of a whole predict step.

    Attributes:
        config, checkpoint: As given; without a checkpoint weights are random.
        device: Its name, and the threads of a CPU.
        versions: Of torch and Python.
        size: (H, W) of the image.
        batch: Images of a call.
        settings: What `Speed` turned on, in words.
        parts: 'network alone', 'predict step' and the stages of this -> their `Latency`.
        network_inputs: Shapes that the network gets in one step.
        warm_ups: Of 'network alone' and 'predict step'.
        peak_bytes: Most memory in use, None where it is not known; ``peak_is`` says of what.
    """

    config: str
    checkpoint: str | None
    device: str
    versions: str
    size: tuple[int, int]
    batch: int
    settings: str
    parts: dict[str, Latency] = field(repr=False)
    network_inputs: list[tuple[int, ...]]
    warm_ups: dict[str, WarmUp]
    peak_bytes: int | None
    peak_is: str

    def __str__(self) -> str:
        table = AsciiTable([['', *(f'p{q} (ms)' for q in PERCENTILES), 'mean (ms)', 'images/s'],
                            *(_cells(name, found) for name, found in self.parts.items())])
        table.justify_columns = dict.fromkeys(range(1, 6), 'right')
        count, height, width = len(self.parts[STEP].seconds), *self.size
        seen = [f'{n} of {shape}' for shape, n in _counted(self.network_inputs).items()]
        lines = [
            f'{self.config} on {self.device}, {self.versions}', table.table,
            f'{self.batch} image{"s" * (self.batch != 1)} of {height}x{width}, {self.settings}, '
            f'{count} calls of each',
            f'the network is called in a step: {", ".join(seen)}',
            *(f'{name}: warm after {w.calls} calls, the first took {w.first:.2f} s' if w.stable else
              f'{name}: NOT warm after {w.calls} calls, the first took {w.first:.2f} s: expect it '
              'to be faster in a long run' for name, w in self.warm_ups.items())]
        if self.peak_bytes is not None:
            lines.append(f'peak memory: {self.peak_bytes / 2**20:.0f} MiB, {self.peak_is}')
        return '\n'.join(lines)

    def data(self) -> dict:
        """Plain values, as JSON has them: the time of every call too."""
        parts = {name: dict(
            {f'p{q}': found.percentile(q) for q in PERCENTILES}, mean=found.mean,
            images_per_second=found.images_per_second, seconds=list(found.seconds))
            for name, found in self.parts.items()}
        return {**asdict(self), 'parts': parts}


def speed(config: str, checkpoint: str | None = None, *, shape: tuple[int, int] | None = None,
          batch: int = 1, repeats: int = 50, aug_test: bool = False, device: str | None = None,
          speed: Mapping | None = None, load: Mapping | None = None,
          options: Mapping | None = None, data_root: str | None = None) -> SpeedResult:
    """Time how a config predicts images of noise.

    Args:
        config: Path or shipped name of the config; or a checkpoint of segplug.
        checkpoint: File, URL or known name; None takes random weights, which are as fast.
        shape: (H, W) of the image; else the config's ``crop_size``, or 512 x 1024 without one.
        batch: Images of a call. A step takes each by itself, as a test does.
        repeats: Calls that count, of the network and of the step.
        aug_test: Whether a step averages over scales and mirror images.
        device, speed, load, options, data_root: As for `load_model`.

    Raises:
        ConfigError: The network cannot take such an image; also `load_model`'s.
    """
    for name, value in (('batch', batch), ('repeats', repeats)):
        if value < 1:
            raise ConfigError(f'{name} is 1 or more.', got=value, culprit=name)
    model = _model(config, checkpoint, device, aug_test, speed, load, options, data_root)
    size = image_size(model.cfg, shape)
    with PeakMemory(model.device) as peak, torch.inference_mode(), memory.reused(), \
            DefaultScope.overwrite_default_scope(model.cfg.default_scope), _told() as tell:
        try:
            warm, times = _times(NETWORK, _network(model, size, batch), model.device, repeats, tell)
            step, stages = _step(model, size, batch)
            warm_step, whole = _times(STEP, step, model.device, repeats, tell)
        except RuntimeError as error:
            raise does_not_fit(size, error) from error
    of_stages = {f'  {name}': Latency(tuple(s.seconds[name] for s in stages[-repeats:]), batch)
                 for name in STAGES}
    return SpeedResult(
        config, checkpoint, _device_name(model.device),
        f'torch {torch.__version__}, Python {platform.python_version()}', size, batch,
        _settings(model.cfg), {NETWORK: Latency(times, batch), STEP: Latency(whole, batch),
                               **of_stages},
        stages[-1].inputs['network'], {NETWORK: warm, STEP: warm_step}, peak.num_bytes,
        peak.definition)


def size_of_test_image(config: str, *, options: Mapping | None = None,
                       data_root: str | None = None) -> tuple[int, int] | None:
    """(H, W) of the first image of a config's test set; None without its data.

    Args:
        config, options, data_root: As for `load_model`.
    """
    cfg = load_config(config, options=options, data_root=data_root)
    with explained(cfg, options), DefaultScope.overwrite_default_scope(cfg.default_scope):
        try:
            dataset = DATASETS.build(dict(test_dataset(cfg)))
            return displayed(dataset.get_data_info(0)['img_path']).shape[:2]
        except (SegplugError, LookupError, OSError):  # the data are not here, or of another kind
            return None


def _model(config: str, checkpoint: str | None, device: str | None, aug_test: bool,
           speed: Mapping | None, load: Mapping | None, options: Mapping | None,
           data_root: str | None) -> Model:
    """`load_model`, or the same with random weights."""
    if checkpoint is not None or str(config).endswith(('.pth', '.pt', '.safetensors')):
        return load_model(config, checkpoint, device=device, aug_test=aug_test, options=options,
                          data_root=data_root, speed=speed, load=load)
    cfg = load_config(config, options=options, data_root=data_root)
    if not cfg.get('model') or not isinstance(cfg.model, dict):
        raise ConfigError(f'The config {config} has no model.', fix='add model=dict(...), or a '
                                                                    '_base_ that holds one')
    if aug_test and (note := use_aug_test(cfg)):
        print_log(note, 'current', logging.WARNING)
    use_speed(cfg, speed)
    with explained(cfg, options), DefaultScope.overwrite_default_scope(cfg.default_scope):
        net = on_device(MODELS.build(cfg.model), device).eval()
        speed_up(net, Speed.from_dict(cfg.get('speed')))
        count = max(getattr(net, 'num_classes', 2), 2)
        return Model(net, cfg, [str(k) for k in range(count)])


def _network(model: Model, size: tuple[int, int], batch: int) -> Callable[[], object]:
    """The call of the network alone, on noise like normalised images."""
    if not hasattr(model.net, 'encode_decode'):
        raise ConfigError(f'{type(model.net).__name__} has no encode_decode, which is timed.',
                          culprit='model')
    images = torch.randn(batch, input_channels(model.net), *size, device=model.device)
    metas = [dict(img_shape=size, pad_shape=size, ori_shape=size) for _ in range(batch)]
    return lambda: model.net.encode_decode(images, metas)


def _step(model: Model, size: tuple[int, int], batch: int
          ) -> tuple[Callable[[], object], list[Stages]]:
    """The call of a whole step, from arrays to labels, and what will hold the stages of each."""
    rng, channels = np.random.default_rng(0), input_channels(model.net)
    arrays = [rng.integers(0, 256, (*size, channels), dtype=np.uint8) for _ in range(batch)]
    calls: list[Stages] = []

    def step() -> None:
        stages = Stages(model.device)
        calls.append(stages)
        packed = []
        read = timed(lambda: packed.extend(model.packed(array) for array in arrays), model.device)
        stages.seconds['pipeline'] = read
        data = dict(inputs=[one.inputs for one in packed],
                    data_samples=[one.sample for one in packed])
        with _split(model.net, stages):
            whole = timed(lambda: model.net.test_step(data), model.device)
        stages.seconds['fuse, arg-max'] = whole + read - sum(stages.seconds.values())

    return step, calls


@contextlib.contextmanager
def _split(net: torch.nn.Module, stages: Stages) -> Iterator[None]:
    """Time the stages inside ``test_step``."""
    with contextlib.ExitStack() as stack:
        preprocessor = getattr(net, 'data_preprocessor', None)
        method = 'views' if hasattr(preprocessor, 'views') else 'prepare'
        if hasattr(preprocessor, method):
            stack.enter_context(stages.of(preprocessor, method, 'resize, normalise'))
        stack.enter_context(stages.of(net, 'encode_decode', 'network'))
        yield


def _times(name: str, call: Callable[[], object], device: torch.device, repeats: int,
           tell: Callable[[str], None]) -> tuple[WarmUp, tuple[float, ...]]:
    """What warming up took, and the seconds of ``repeats`` calls."""
    tell(f'{name}: warming up')
    warm, times = warm_up(lambda: timed(call, device)), []
    for done in range(repeats):
        tell(f'{name}: {done}/{repeats} calls')
        times.append(timed(call, device))
    return warm, tuple(times)


@contextlib.contextmanager
def _told() -> Iterator[Callable[[str], None]]:
    """What says on a terminal how far it is, in one line that goes in the end."""
    if not sys.stderr.isatty():
        yield lambda line: None
        return
    terminal = Terminal()
    try:
        yield terminal.show
    finally:
        terminal.clear()


def _device_name(device: torch.device) -> str:
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    if device.type != 'cpu':
        return str(device)
    threads = torch.get_num_threads()
    return f'{_processor()}, {threads} thread{"s" * (threads != 1)}'


def _processor() -> str:
    """The name of the CPU, where Linux tells it."""
    with contextlib.suppress(OSError, StopIteration):
        return next(line.partition(':')[2].strip() for line in
                    Path('/proc/cpuinfo').read_text().splitlines()
                    if line.startswith('model name'))
    return platform.processor() or platform.machine()


def _settings(cfg) -> str:
    given = cfg.get('speed') or {}
    amp = given.get('amp') or 'float32'
    words = ['amp' if amp is True else str(amp)]
    words += [key for key in ('channels_last', 'compile') if given.get(key)]
    return ', '.join(words)


def _cells(name: str, found: Latency) -> list[str]:
    rate = '' if name.startswith(' ') else f'{found.images_per_second:.2f}'
    return [name, *(f'{1000 * found.percentile(q):.2f}' for q in PERCENTILES),
            f'{1000 * found.mean:.2f}', rate]


def _counted(shapes: list[tuple[int, ...]]) -> dict[str, int]:
    """Shapes in words -> how often."""
    words = ['x'.join(map(str, shape)) for shape in shapes]
    return {word: words.count(word) for word in dict.fromkeys(words)}
