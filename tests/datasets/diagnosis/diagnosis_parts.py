"""A part of the data as if its labels had been read."""

import numpy as np

from segplug.datasets.diagnosis.facts import LabelFacts
from segplug.datasets.diagnosis.finding import Place
from segplug.datasets.diagnosis.tally import Part


def part_of(*counts: dict, **changes):
    """A `Part` whose labels hold ``counts``, {value: pixels} each."""
    facts = [LabelFacts(f'{i}', (1, 1), np.array(list(c), np.int64),
                        np.array(list(c.values()), np.int64)) for i, c in enumerate(counts)]
    infos = [dict(label_map=changes.pop('label_map', None)) for _ in facts]
    return Part('train', Place('p'), labels=facts, infos=infos, **changes)
