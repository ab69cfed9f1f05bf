"""Samples as the model gets them, on a page: what the pipeline makes of images and labels."""

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from ..engine.dataloading import build_dataloader
from ..engine.sampling import KeyedSampler
from ..errors import ConfigError, DataError
from ..report.samples_page import IGNORED, OUTSIDE, Card, Entry, Note, samples_page
from ..visualization.draw import default_palette
from ..visualization.layers import fitted, grid, label_layer, mixed, viewable
from . import doctor_config
from .config import load_config
from .examining import quick_findings
from .provenance import explained
from .results import Shown

_SIDE = 768  # pixels of a picture on the page, at most
_LABELS = 32  # that the doctor looks at


@dataclass(frozen=True)
class Pages(Shown):
    """What was written: the page, the picture or None, and how many samples could be made."""

    html: Path
    png: Path | None
    good: int
    bad: int

    def __str__(self) -> str:
        bad = f', {self.bad} that cannot be made' if self.bad else ''
        return f'{self.html}: {self.good} samples{bad}' + (f'\n{self.png}' if self.png else '')


@dataclass
class _Look:
    """How labels are shown, and the sums for the legend."""

    classes: tuple[str, ...]
    palette: list
    ignore_index: int
    pixels: np.ndarray
    images: np.ndarray

    def add(self, label: np.ndarray) -> None:
        """Count (H, W) ``label``: K classes, then ignored, then what is neither."""
        count = len(self.classes)
        wide = label.astype(np.int64)
        kind = np.where((wide >= 0) & (wide < count), wide, count + 1)
        kind[wide == self.ignore_index] = count
        found = np.bincount(kind.ravel(), minlength=count + 2)
        self.pixels += found
        self.images += found > 0


def browse(config: str | os.PathLike, *, split: str = 'train', num: int = 24,
           seed: int | None = None, out: str | os.PathLike | None = None, png: bool = False,
           options: Mapping | None = None, data_root: str | None = None,
           packed: str | None = None) -> Pages:
    """Write a page with the first samples that one process draws in the first epoch.

    Args:
        config: A config file or a shipped config's name.
        split: Whose dataloader, 'train', 'val' or 'test'.
        num: How many samples.
        seed: Of order and augmentation; None takes the config's, or 0 without one.
        out: Folder for <split>.html and <split>.png; by default ``browse`` in the work directory.
        png: Whether to write the picture grid too.
        options, data_root, packed: As in `load_config`.

    Raises:
        ConfigError: The config has no such split, or cannot be built.
        DataError: The data set itself cannot be used; a sample that cannot is shown as such.
    """
    if num < 1:
        raise ConfigError('browse shows one sample at least.', got=f'num={num}')
    options = dict(options or {})
    cfg = load_config(config, options=options, data_root=data_root, packed=packed)
    if not cfg.get(f'{split}_dataloader'):
        raise ConfigError(f'The config has no {split}_dataloader.', culprit=f'{split}_dataloader')
    of_config = (cfg.get('randomness') or {}).get('seed')
    seed = (of_config or 0) if seed is None else seed
    with DefaultScope.overwrite_default_scope(cfg.default_scope), explained(cfg, options):
        loader = build_dataloader({**cfg[f'{split}_dataloader'], 'num_workers': 0}, seed,
                                  stream=split == 'train')
        look = _look_of(cfg, loader.dataset)
        cards = [_card(loader.dataset, key, look, cfg)
                 for key in itertools.islice(_keys(loader), num)]
        findings = quick_findings(cfg, {split: loader.dataset}, {split: _LABELS})
    folder = Path(out if out is not None else Path(cfg.work_dir) / 'browse')
    folder.mkdir(parents=True, exist_ok=True)
    notes = [Note(f.severity, f.name, ' '.join([f.what, f.why, f.advice]).strip(),
                  tuple(map(str, f.mending))) for f in findings]
    html = folder / f'{split}.html'
    html.write_text(samples_page(f'{config}: {split}', _about(loader, split, seed, of_config, cfg),
                                 cards, _legend(look), notes), encoding='utf-8')
    good = [card for card in cards if card.picture is not None]
    picture = folder / f'{split}.png' if png and good else None
    if picture:
        sheet = grid([card.picture if card.layer is None else mixed(card.picture, card.layer)
                      for card in good])
        picture.write_bytes(cv2.imencode('.png', sheet[..., ::-1])[1].tobytes())
    return Pages(html, picture, len(good), len(cards) - len(good))


def _keys(loader: DataLoader) -> Iterator:
    """The samples in the order of the loader, one by one."""
    is_batched = isinstance(loader.batch_sampler, KeyedSampler)
    for item in loader.batch_sampler if is_batched else loader.sampler:
        yield from item if isinstance(item, list | tuple) else [item]


def _look_of(cfg, dataset) -> _Look:
    meta = getattr(dataset, 'metainfo', {})
    count = len(meta.get('classes') or ()) or doctor_config.head_classes(cfg) or 256
    classes = tuple(meta.get('classes') or map(str, range(count)))
    palette = [list(map(int, colour)) for colour in meta.get('palette') or default_palette(count)]
    ignored = next((leaf.get('ignore_index', 255) for _, _, leaf in
                    doctor_config.dataset_places(cfg)), 255)
    return _Look(classes, palette, ignored, np.zeros(count + 2, np.int64),
                 np.zeros(count + 2, np.int64))


def _card(dataset, key, look: _Look, cfg) -> Card:
    try:
        data = dataset[key]
    except DataError as error:
        name = os.path.basename(str(dataset.get_data_info(int(key)).get('img_path', int(key))))
        return Card(name, error=str(error))
    sample = data['data_samples']
    meta = sample.metainfo
    swaps = not doctor_config.preprocessor(cfg).get('rgb_to_bgr')
    inputs = data['inputs'].numpy()
    picture, layer = viewable(inputs, swaps and len(inputs) == 3), None
    if 'gt_sem_seg' in sample:
        label = sample.gt_sem_seg.data[0].numpy()
        look.add(label)
        if label.shape != picture.shape[:2]:  # a test's label keeps its own size
            picture = cv2.resize(picture, label.shape[::-1])
        layer = label_layer(label, len(look.classes), look.ignore_index, look.palette)
        layer = fitted(layer, _SIDE, nearest=True)
    name = os.path.basename(str(meta.get('img_path', f'sample {int(key)}')))
    return Card(name, tuple(_facts(inputs, meta, key)), fitted(picture, _SIDE), layer)


def _facts(inputs: np.ndarray, meta: Mapping, key) -> Iterator[str]:
    """What the pipeline did, in words."""
    channels, height, width = inputs.shape
    size = f'{width}x{height}'
    if meta.get('ori_shape') not in (None, (height, width)):
        size = f'{meta["ori_shape"][1]}x{meta["ori_shape"][0]} to {size}'
    more = f', {channels} channels' if channels != 3 else ''
    yield size + more + (f', {inputs.dtype}' if inputs.dtype != np.uint8 else '')
    if meta.get('scale_factor') is not None:
        factors = np.atleast_1d(meta['scale_factor'])
        yield 'scaled by ' + ' x '.join(f'{f:.3g}' for f in dict.fromkeys(factors.tolist()))
    if meta.get('flip'):
        yield f'mirrored, {meta.get("flip_direction")}'
    if meta.get('reduce_zero_label'):
        yield 'label 0 is ignored'
    yield f'sample {int(key)}'


def _about(loader: DataLoader, split: str, seed: int, of_config: int | None, cfg) -> list[str]:
    from_where = 'given' if seed != of_config else "the config's"
    lines = [f'{len(loader.dataset)} samples; these are the first that one process draws in the '
             f'first epoch with seed {seed} ({from_where}).' if split == 'train' else
             f'{len(loader.dataset)} samples; these are the first.',
             "The legend gives each class's share of the pixels that are shown, and in how many "
             'samples it is.',
             'Hatched pixels are ignored. Chequered ones are neither ignored nor a class, and '
             'would stop training.']
    if split == 'train' and doctor_config.preprocessor(cfg).get('batch_augments'):
        lines.append('What batch_augments does to whole batches is not shown.')
    return lines


def _legend(look: _Look) -> list[Entry]:
    total = max(int(look.pixels.sum()), 1)
    colours = [f'rgb({r},{g},{b})' for r, g, b in look.palette]
    names = [*look.classes, f'ignored ({look.ignore_index})', 'no class']
    colours = [*colours[:len(look.classes)], IGNORED, OUTSIDE]
    rows = zip(names, colours, look.pixels.tolist(), look.images.tolist(), strict=True)
    return [Entry(name, colour, pixels / total, images) for name, colour, pixels, images in rows
            if name != 'no class' or images]
