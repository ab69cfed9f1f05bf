"""The statistics of a config's data as text for a terminal."""

from ..datasets.diagnosis.statistics import PartNumbers
from ..datasets.diagnosis.tally import FORMULAS
from .doctor_text import columns
from .statistics import BINS, Statistics

_MOST_SIZES = 5


def text(found: Statistics) -> str:
    """A table for each part, then lines for the config, then what is to be said."""
    blocks = [*map(_part, found.parts), _weights(found), _preprocessor(found), *found.notes]
    return '\n\n'.join(block for block in blocks if block)


def _part(part: PartNumbers) -> str:
    unreadable = f', {part.unreadable} that cannot be read (segplug doctor says why)' \
        if part.unreadable else ''
    ignored = 100 * part.ignored / max(part.pixels, 1)
    lines = [f'{part.name}: {part.samples} samples, {part.labels} labels{unreadable}, '
             f'{ignored:.2f} % of the pixels ignored', f'sizes, height x width: {_sizes(part)}']
    if part.classes:
        rows = [('class', 'share', 'images', 'mean area', 'mean share', *BINS)]
        rows += [(f'{c.id} {c.name}', f'{100 * c.share:.3f} %', str(c.images),
                  f'{c.mean_area:.0f}', f'{100 * c.mean_share:.2f} %', *map(str, c.histogram))
                 for c in part.classes]
        lines += columns(rows)
    return '\n'.join(lines)


def _sizes(part: PartNumbers) -> str:
    sizes = list(part.sizes.items())
    told = ', '.join(f'{h}x{w} in {n}' for (h, w), n in sizes[:_MOST_SIZES])
    if len(sizes) <= _MOST_SIZES:
        return told or 'not known'
    heights, widths = zip(*part.sizes, strict=True)
    return (f'{told}, and {len(sizes) - _MOST_SIZES} more; {min(heights)} to {max(heights)} high, '
            f'{min(widths)} to {max(widths)} wide')


def _weights(found: Statistics) -> str:
    if not found.weights:
        return ''
    lines = ['class weights of the training set; in model.decode_head.loss_decode, one of']
    for name, values in found.weights.items():
        lines += [f'  class_weight={values}', f'    ({FORMULAS[name]})']
    return '\n'.join(lines)


def _preprocessor(found: Statistics) -> str:
    if not found.mean:
        return ''
    mean, std = ([float(f'{v:.6g}') for v in values] for values in (found.mean, found.std))
    return (f'mean and deviation of {found.num_decoded} training images, for data_preprocessor '
            f'(weights that were trained with others want theirs)\n  mean={mean},\n  std={std}')
