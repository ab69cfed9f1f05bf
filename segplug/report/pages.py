"""What the pages of this package share: templates with escaping on, and pictures inside the page.

A page is one file that asks no other computer for anything; `templates/base.html` says so to the
browser, too.
"""

import base64
import io
import math

import cv2
import jinja2
import numpy as np
from PIL import Image

from .. import __version__
from .charts.svg import FORBIDDEN

_JPEG_QUALITY = 84
MISSING = '–'


def render(template: str, **values) -> str:
    """A page as HTML.

    Args:
        template: A file of templates/.
        values: What it names; all text is escaped, but for what is `markupsafe.Markup`.
    """
    return _environment().get_template(template).render(values)


def photo(picture: np.ndarray) -> str:
    """The address of a picture, (H, W, 3) uint8 RGB, that holds it as JPEG."""
    data = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    return _address('jpeg', data.tobytes())


def drawing(picture: np.ndarray) -> str:
    """The address of a picture, (H, W, 3) uint8 RGB, that holds it as PNG, to the pixel."""
    wide = picture.astype(np.uint32)
    codes, places = np.unique(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2],
                              return_inverse=True)
    if len(codes) > 256:
        return _address('png', cv2.imencode('.png', picture[..., ::-1])[1].tobytes())
    img = Image.fromarray(places.reshape(picture.shape[:2]).astype(np.uint8))
    img.putpalette(np.stack([codes >> 16, codes >> 8 & 255, codes & 255], 1).astype(np.uint8)
                   .tobytes())
    file = io.BytesIO()
    img.save(file, format='PNG', optimize=True)
    return _address('png', file.getvalue())


def number(value: float | None, digits: int = 2) -> str:
    """A number to read: '66.98', or a dash for nan and None."""
    return MISSING if value is None or math.isnan(value) else f'{value:.{digits}f}'


def brief(value: float) -> str:
    """A number of any size to read: four digits."""
    return MISSING if math.isnan(value) else f'{value:.4g}'


def exact(value: float | None) -> str:
    """A number for programs: all its digits; '' for nan and None."""
    return '' if value is None or math.isnan(value) else repr(float(value))


def short(value: int) -> str:
    """A count at a glance: '1.75 M'; below ten thousand as it is."""
    for size, letter in ((1e12, 'T'), (1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if value >= max(size, 1e4):
            return f'{value / size:.3g}\u202f{letter}'
    return grouped(value)


def grouped(value: int) -> str:
    """A count to read: '1 234 567', with thin spaces that do not break."""
    return f'{value:,}'.replace(',', '\u202f')


def _address(kind: str, data: bytes) -> str:
    return f'data:image/{kind};base64,{base64.b64encode(data).decode()}'


def _plain(value):
    """Text without what HTML has no place for."""
    return FORBIDDEN.sub('\ufffd', value) if type(value) is str else value


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader('segplug.report'), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined, finalize=_plain)
    made.filters.update({f.__name__: f for f in (number, brief, exact, short, grouped, photo,
                                                 drawing)})
    made.globals.update(version=__version__)
    return made
