"""Write a checkpoint as one file that runs without segplug: ONNX, torch.export or TorchScript."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from terminaltables import AsciiTable
from torch import nn

from ..errors import ConfigError
from ..export.check import TOLERANCE, Check, check, refuse_shape
from ..export.formats import FORMATS
from ..export.graph import Graph, num_channels, padding_of, without_training_parts
from ..export.metadata import describe
from ..export.onnx_file import check_packages
from ..export.recording import check_torch
from ..export.settings import SUFFIXES, Settings
from ..export.sizes import broken_guard, multiple_for, neighbours
from .checkpoints import test_dataset
from .model import Model, load_model
from .results import Shown
from .zoo import image_size


@dataclass(frozen=True)
class ExportResult(Shown):
    """What was written, and how it was checked.

    Attributes:
        path: The file.
        metadata: What it says of itself, see `segplug.export.metadata`.
        checks: The file beside the model, an input each.
        runtime: What the file was run by: 'onnxruntime 1.20.0'.
        notes: What to know of it.
    """

    path: Path
    metadata: dict = field(repr=False)
    checks: list[Check]
    runtime: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [[f'{one.batch} x {one.height}x{one.width}', f'{one.difference:.2g}',
                 f'{one.largest:.3g}', f'{100 * one.differing:.4f} %'] for one in self.checks]
        table = AsciiTable([['Images', 'Largest difference', 'Largest logit', 'Labels that differ'],
                            *rows])
        table.justify_columns = dict.fromkeys(range(1, 4), 'right')
        return '\n'.join([
            f'{self.path}: {self.path.stat().st_size / 1e6:.1f} MB, takes '
            f'{_shape_of(self.metadata)}',
            f'Run by {self.runtime} it gives what the model gives, to {TOLERANCE:g} of the largest '
            'logit:', table.table, *self.notes])


def _shape_of(metadata: dict) -> str:
    taken, given = metadata['input'], metadata['output']
    sizes = dict(N=taken['batch'] or 'any number', H=taken['height'] or 'any height',
                 W=taken['width'] or 'any width', C=taken['channels'])
    order = f' {taken["channel_order"].upper()}' if taken['channel_order'] else ''
    shape = ' x '.join(str(sizes[letter]) for letter in taken['layout'])
    ready = '' if metadata['preprocess']['inside'] else ', normalised'
    at = 'at the size of the image' if given['size'] == 'image' else "at the head's own size"
    return f'{taken["dtype"]} {shape}{order}{ready}; gives {given["name"]} {at}'


def export(config: str | Path, checkpoint: str | Path | None = None, *, format: str = 'onnx',
           out: str | Path | None = None, shape: Sequence[int] | None = None,
           dynamic: bool = False, batch: bool = False, with_preprocess: bool = False,
           layout: str = 'NHWC', channel_order: str = 'rgb', upsample: bool = False,
           argmax: bool = False, opset: int | None = None, overwrite: bool = False,
           options: dict | None = None, data_root: str | None = None, load: dict | None = None,
           classes: str | Sequence[str] | None = None) -> ExportResult:
    """Write the model of a checkpoint to a file, once it was found to give what the model gives.

    The network sees the image at one scale and whole, whatever ``test_cfg`` says.

    Args:
        config: Path or shipped name of the config; or the checkpoint, see `load_model`.
        checkpoint: File, URL or known name; None if ``config`` is the checkpoint.
        format: 'onnx', 'torch-export' or 'torchscript'.
        out: The file, or a folder for it; by default it stands beside the checkpoint.
        shape: (H, W) of the images; the config's ``crop_size`` by default.
        dynamic, batch, with_preprocess, layout, channel_order, upsample, argmax, opset: See
            `segplug.export.settings.Settings`.
        overwrite: Replace a file that is there.
        options, data_root, load, classes: As for `load_model`.

    Raises:
        ConfigError: The model cannot be exported so, or the file gives something else than the
            model; nothing is written.
        CheckpointError: The checkpoint cannot be loaded.
    """
    given = dict(format=format, dynamic=dynamic, batch=batch, with_preprocess=with_preprocess,
                 layout=layout, channel_order=channel_order, upsample=upsample, argmax=argmax,
                 opset=opset)
    settings = Settings(**given, **({} if shape is None else dict(shape=tuple(shape))))
    check_torch(settings)
    if format == 'onnx':
        check_packages()
    target = target_for(out, str(config if checkpoint is None else checkpoint), format, overwrite)
    model = load_model(config, checkpoint, device='cpu', options=dict(options or {}, speed=None),
                       data_root=data_root, load=load, classes=classes)
    if shape is None:
        settings = replace(settings, shape=image_size(model.cfg))
    source = dict(config=None if checkpoint is None else Path(config).name,
                  checkpoint=Path(config if checkpoint is None else checkpoint).name)
    return write(model, settings, target, source)


def write(model: Model, settings: Settings, target: Path,
          source: Mapping[str, str | None]) -> ExportResult:
    """`export` of a loaded model, which is changed: it predicts as before, and trains no more.

    Args:
        model: On the CPU.
        settings: What was asked for.
        target: The file.
        source: For the metadata: ``config`` and ``checkpoint``, as they were called.
    """
    from ..engine.whole_file import whole_file
    kind, net = FORMATS[settings.format], _prepared(model.net)
    multiple = _multiple(net, settings)
    graph = Graph(net, settings, num_images=2 if settings.batch else 1)
    said = _metadata(model, settings, multiple, source)
    try:
        data, program = kind.to_bytes(graph, settings, said, multiple)
    except ConfigError:
        refuse_shape(net, settings)
        raise
    _check_guards(program, settings, multiple, graph)
    with whole_file(target, 'wb') as file:
        file.write(data)
        file.flush()
        checks = check(net, kind.load(Path(file.name)), settings, multiple)
    return ExportResult(target, said, checks, kind.runtime(),
                        tuple(_notes(model, multiple)))


def target_for(out: str | Path | None, checkpoint: str, format: str, overwrite: bool) -> Path:
    """The file to write.

    Raises:
        ConfigError: It is there, its name is that of another format, or its folder cannot be
            written to.
    """
    source = Path(checkpoint)
    name = f'{source.stem}{SUFFIXES[format]}'
    target = Path(out).expanduser() if out is not None else \
        (source.parent if source.is_file() else Path()) / name
    if target.is_dir() or str(out).endswith(('/', os.sep)):
        target = target / name
    others = {suffix: other for other, suffix in SUFFIXES.items() if other != format}
    if target.suffix in others:
        raise ConfigError(f'--out {target} is called as {others[target.suffix]} is.',
                          got=f'--format {format}', expected=f'a name ending in {SUFFIXES[format]}',
                          fix=f'add --format {others[target.suffix]}, or take another name')
    if target.exists() and not overwrite:
        raise ConfigError(f'{target} is there already.',
                          fix='name another file by --out, or add --overwrite')
    folder = next(folder for folder in target.absolute().parents if folder.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ConfigError(f'{target} cannot be written.', culprit=str(out),
                          got=f'{folder}, which is {"read-only" if folder.is_dir() else "a file"}',
                          fix='name a file in another folder by --out')
    return target


def _prepared(net: nn.Module) -> nn.Module:
    from ..engine.sync_bn import convert_sync_batchnorm
    net = convert_sync_batchnorm(net, 'cpu', distributed=False)
    return without_training_parts(net).requires_grad_(False).eval()


def _multiple(net: nn.Module, settings: Settings) -> int:
    """What the sides of an image have to be a multiple of."""
    if settings.with_preprocess or not hasattr(net, 'encode_decode'):
        divisor, padded = 1, getattr(net.data_preprocessor, 'padded_size', tuple)
    else:
        divisor, padded = padding_of(net)[1], tuple
    if not settings.dynamic:
        return divisor
    return max(divisor, multiple_for(net, settings.shape, num_channels(net), padded))


def _check_guards(program, settings: Settings, multiple: int, graph: Graph) -> None:
    """Raise a ConfigError where the graph is not for every size and number of images."""
    if program is None or not settings.any_dims:
        return
    sizes = neighbours(settings.shape, multiple) if settings.dynamic else [settings.shape]
    numbers = (1, 2, 5) if settings.batch else (1,)
    if settings.batch and settings.format != 'torch-export':
        numbers = (2, 5)  # without guards in the file, one image is tried by running it
    broken = broken_guard(program, settings, sizes, numbers, graph.channels)
    if not broken:
        return
    (number, height, width), guard = broken
    by_number = settings.batch and not broken_guard(program, settings, sizes, (graph.num_images,),
                                                    graph.channels)
    raise ConfigError(
        'What this model computes depends on the size or number of the images in a way that '
        'one file cannot hold.', got=f'for {number} image(s) of {height}x{width} this does not '
        f'hold: {guard[:160]}', culprit='batch' if by_number else 'dynamic',
        fix=f'leave {"--dynamic-batch" if by_number else "--dynamic"} away')


def _metadata(model: Model, settings: Settings, multiple: int,
              source: Mapping[str, str | None]) -> dict:
    dataset = test_dataset(model.cfg)
    resize = next((step for step in model.steps if 'Resize' in step['type']), None)
    reduced = dataset.get('reduce_zero_label')
    if reduced is None and dataset.get('type'):
        from ..registry import DATASETS, resolve
        reduced = getattr(resolve(dataset['type'], DATASETS), 'REDUCE_ZERO_LABEL', False)
    return describe(model.net, settings, classes=model.classes, palette=model.palette,
                    dataset=dict(reduce_zero_label=reduced),
                    resize=_plain(resize), multiple=multiple, source=source)


def _plain(step: dict | None) -> dict | None:
    """What JSON holds of a pipeline's step."""
    kinds = (str, int, float, bool, list, tuple, type(None))
    return None if step is None else {key: list(value) if isinstance(value, tuple) else value
                                      for key, value in step.items() if isinstance(value, kinds)}


def _notes(model: Model, multiple: int) -> list[str]:
    notes = []
    if model.net.tta_cfg.mode == 'slide':
        crop = 'x'.join(map(str, model.net.tta_cfg.crop_size))
        notes.append(f'The config tests in windows of {crop}; the file sees images whole.')
    if multiple > 1:
        notes.append(f'Both sides of an image have to be a multiple of {multiple}.')
    return notes
