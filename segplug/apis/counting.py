"""What a config costs: parameters, multiply-adds and memory of each of its modules."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
import torch
from mmengine.registry import DefaultScope
from terminaltables import AsciiTable
from torch import Tensor, nn

from ..analysis.complexity import Row, forward_cost, kept_bytes, rows
from ..errors import ConfigError
from ..registry import MODELS
from .config import load_config
from .provenance import explained
from .results import Shown
from .zoo import (
    build_on_meta,
    does_not_fit,
    image_size,
    input_channels,
    parameters,
    predicting,
)

DEPTH = 2  # levels of modules that are shown


@dataclass(frozen=True)
class Complexity(Shown):
    """What a network costs. `segplug.analysis.complexity` defines what is counted.

    Attributes:
        config: Its name, as given.
        size: (H, W) of the images.
        batch: Images of a training step, for ``kept_bytes``.
        parameters: Of what predicts.
        auxiliary_parameters: Of heads that only training has.
        multiply_adds: Of the prediction of one image.
        peak_bytes, peak_in: Most bytes of tensors at once in it, and the module that ran then.
        kept_bytes: What a training step keeps for the backward pass, auxiliary heads too, but
            without losses; None where training was not possible, of which ``notes`` tell.
        rows: A `Row` for each module; '' is all.
        notes: What is to be known of these numbers.
    """

    config: str
    size: tuple[int, int]
    batch: int
    parameters: int
    auxiliary_parameters: int
    multiply_adds: int
    peak_bytes: int
    peak_in: str
    kept_bytes: int | None
    rows: list[Row] = field(repr=False)
    notes: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Every module, unrounded: columns name, type, parameters, multiply_adds, ..."""
        return pd.DataFrame([asdict(row) for row in self.rows]).astype({'kept_bytes': 'Int64'})

    def text(self, depth: int = DEPTH) -> str:
        """The modules down to ``depth`` as a tree, and the sums."""
        table = AsciiTable([['Module', 'Type', 'Params (M)', 'Mult-adds (G)', '%', 'Kept (MiB)',
                             'Output of one image'],
                            *(self._cells(row) for row in self.rows if row.depth <= depth)])
        table.justify_columns = dict.fromkeys(range(2, 6), 'right')
        return '\n'.join([table.table, *self._sums()])

    def _cells(self, row: Row) -> list[str]:
        last = row.name.rpartition('.')[2] or 'all'
        kept = '-' if row.kept_bytes is None else f'{row.kept_bytes / 2**20:.1f}'
        return ['  ' * row.depth + last, row.type, f'{row.parameters / 1e6:.3f}',
                f'{row.multiply_adds / 1e9:.3f}',
                f'{100 * row.multiply_adds / max(self.multiply_adds, 1):.1f}', kept, row.output]

    def _sums(self) -> list[str]:
        height, width = self.size
        more = f', and {self.auxiliary_parameters / 1e6:.2f} M of heads that only training has' \
            if self.auxiliary_parameters else ''
        lines = [
            f'{self.config}, image of {height}x{width}',
            f'  parameters: {self.parameters / 1e6:.2f} M{more}',
            f'  prediction of one image: {self.multiply_adds / 1e9:.2f} G multiply-adds (twice as '
            'many FLOPs), of convolutions and matrix products',
            f'  memory of a prediction: {_mebibytes(self.peak_bytes)} of tensors at once, in '
            f'{self.peak_in or "the segmentor"}']
        if self.kept_bytes is not None:
            lines.append(f'  memory of a training step: {_mebibytes(self.kept_bytes)} kept for the '
                         f'backward pass of a batch of {self.batch}, without losses')
        return [*lines, *(f'  {note}' for note in self.notes)]

    def __str__(self) -> str:
        return self.text()

    def data(self) -> dict:
        """Plain values, as JSON has them."""
        return {**asdict(self), 'size': list(self.size), 'notes': list(self.notes)}

    def write_csv(self, path: str | os.PathLike) -> None:
        """`table` as a file."""
        from ..engine.whole_file import whole_file
        with whole_file(Path(path), 'w') as file:
            self.table().to_csv(file, index=False)


def complexity(config: str | os.PathLike, *, shape: tuple[int, int] | None = None,
               batch: int | None = None, options: Mapping | None = None,
               data_root: str | None = None) -> Complexity:
    """Count what the network of a config costs; neither weights nor data are read.

    Args:
        config: Path or shipped name of the config.
        shape: (H, W) of an image; else the config's ``crop_size``, or 512 x 1024 without one.
        batch: Images of a training step; else those of the config's ``train_dataloader``, or 2.
        options, data_root: As for `segplug.apis.train`.

    Raises:
        ConfigError: The config has no model, or its network cannot take such an image.
    """
    cfg = load_config(config, options=options, data_root=data_root)
    size = image_size(cfg, shape)
    if batch is None:
        batch = (cfg.get('train_dataloader') or {}).get('batch_size') or 2
    if batch < 1:
        raise ConfigError('A batch has one image or more.', got=batch, culprit='batch')
    if not cfg.get('model') or not isinstance(cfg.model, dict):
        raise ConfigError(f'The config {config} has no model.', fix='add model=dict(...), or a '
                                                                    '_base_ that holds one')
    with explained(cfg, options):
        try:
            return _counted(str(config), build_on_meta(cfg), size, batch)
        except Exception:  # what looks at values cannot be told shapes alone: compute it
            with DefaultScope.overwrite_default_scope(cfg.default_scope):
                model = MODELS.build(cfg.model).eval()
            return _counted(str(config), model, size, batch)


def _counted(config: str, model: nn.Module, size: tuple[int, int], batch: int) -> Complexity:
    """The costs of a model, in eval mode, on the meta device or a CPU."""
    try:
        forward = forward_cost(model, predicting(model, size))
    except RuntimeError as error:
        raise does_not_fit(size, error) from error
    notes = [f'not counted: {calls} calls of {name}, which torch does not know'
             for name, calls in forward.uncounted.items()]
    images = torch.zeros(batch, input_channels(model), *size,
                         device=next(model.parameters()).device)
    kept = None
    try:
        kept = kept_bytes(model.train(), _training(model, images), images)
    except (RuntimeError, ValueError) as error:
        notes.append(f'training was not measured: {" ".join(str(error).split())}')
    return Complexity(config, size, batch, **parameters(model),
                      multiply_adds=forward.multiply_adds[''], peak_bytes=forward.peak_bytes,
                      peak_in=forward.peak_in, kept_bytes=kept and kept[''],
                      rows=rows(model, forward, kept), notes=tuple(notes))


def _training(model: nn.Module, images: Tensor) -> Callable[[], list]:
    """What calls the network and its auxiliary heads as a training step does, up to the losses."""
    size = tuple(images.shape[2:])
    metas = [dict(img_shape=size, pad_shape=size, ori_shape=size) for _ in images]
    if not hasattr(model, 'extract_feat') or not hasattr(model, 'decode'):
        return lambda: [model.encode_decode(images, metas)]
    auxiliary = getattr(model, 'auxiliary_head', None)
    heads = auxiliary if isinstance(auxiliary, nn.ModuleList) else \
        [] if auxiliary is None else [auxiliary]

    def run() -> list:
        levels = model.extract_feat(images)
        return [model.decode(levels, metas), *(head(levels) for head in heads)]
    return run


def _mebibytes(count: int) -> str:
    return f'{count / 2**30:.2f} GiB' if count >= 2**30 else f'{count / 2**20:.1f} MiB'
