"""The page of `segplug browse`: samples with their labels over them, a legend, what was found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .pages import render


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
    return render('samples.html', title=title, about=about, cards=cards, legend=legend,
                  notes=notes)
