"""The page of `segplug browse`: samples with their labels over them, a legend, what was found."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np

_JPEG_QUALITY = 88


@dataclass(frozen=True)
class Card:
    """One sample.

    Attributes:
        name: Of the file.
        facts: Short lines below it.
        picture: (H, W, 3) uint8 RGB, or None where the sample could not be made.
        layer: (H, W, 3) uint8 RGB that is laid over it, or None without a label.
        error: Why it could not be made.
    """

    name: str
    facts: tuple[str, ...] = ()
    picture: np.ndarray | None = None
    layer: np.ndarray | None = None
    error: str = ''


@dataclass(frozen=True)
class Entry:
    """One line of the legend; ``colour`` is CSS, ``share`` in 0..1 of the pixels that are shown,
    ``images`` the number of samples that have it."""

    name: str
    colour: str
    share: float
    images: int


@dataclass(frozen=True)
class Note:
    """One finding of the doctor: its heading, its text and the lines that mend it."""

    severity: str
    heading: str
    text: str
    lines: tuple[str, ...] = ()


# Stripes and squares of the legend, as `visualization.layers` draws them.
IGNORED = 'repeating-linear-gradient(-45deg,#fff 0 3px,#1e1e1e 3px 6px)'
OUTSIDE = 'repeating-conic-gradient(#f0f 0 25%,#ff0 0 50%) 0/6px 6px'


def samples_page(title: str, about: Sequence[str], cards: Sequence[Card],
                 legend: Sequence[Entry], notes: Sequence[Note]) -> str:
    """The whole page as HTML.

    Args:
        title: Of the page.
        about: Lines below it.
        cards: Samples, in order.
        legend: Classes, in order.
        notes: What the doctor found, the worst first.
    """
    template = Path(__file__).with_name('samples_page.html').read_text(encoding='utf-8')
    parts = dict(
        title=escape(title), about=''.join(f'<p>{escape(line)}</p>' for line in about),
        notes=''.join(map(_note, notes)) or '<p class="fine">The doctor\'s quick look at some '
        'labels found nothing.</p>',
        legend=''.join(map(_entry, legend)), cards='\n'.join(map(_card, cards)))
    for key, text in parts.items():
        template = template.replace(f'<!--{key}-->', text)
    return template


def _note(note: Note) -> str:
    lines = ''.join(f'<code>{escape(line)}</code>' for line in note.lines)
    return (f'<div class="note {escape(note.severity)}"><b>{escape(note.heading)}</b> '
            f'{escape(note.text)}{lines}</div>')


def _entry(entry: Entry) -> str:
    faded = '' if entry.images else ' class="absent"'
    share = f'{100 * entry.share:.2f} %' if entry.images else '&ndash;'
    return (f'<li{faded}><i style="background:{escape(entry.colour)}"></i>'
            f'<span>{escape(entry.name)}</span><b>{share}</b><em>{entry.images}</em></li>')


def _card(card: Card) -> str:
    facts = ''.join(f'<li>{escape(fact)}</li>' for fact in card.facts)
    body = f'<p class="error">{escape(card.error)}</p>'
    if card.picture is not None:
        height, width = card.picture.shape[:2]
        shape = f'style="aspect-ratio:{width}/{height}"'
        images = _image(card.picture, '.jpg', 'picture', card.name)
        if card.layer is not None:
            images += _image(card.layer, '.png', 'layer', f'labels of {card.name}')
        body = f'<div class="frame" {shape}>{images}</div>'
    return (f'<figure>{body}<figcaption><b title="{escape(card.name)}">{escape(card.name)}</b>'
            f'<ul>{facts}</ul></figcaption></figure>')


def _image(picture: np.ndarray, kind: str, css: str, alt: str) -> str:
    """An <img> that holds its own bytes: JPEG for a photograph, PNG, without loss, for labels."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if kind == '.jpg' else []
    data = cv2.imencode(kind, picture[..., ::-1], options)[1].tobytes()
    text = base64.b64encode(data).decode()
    mime = {'.jpg': 'jpeg', '.png': 'png'}[kind]
    return (f'<img class="{css}" alt="{escape(alt)}" loading="lazy" '
            f'src="data:image/{mime};base64,{text}">')
