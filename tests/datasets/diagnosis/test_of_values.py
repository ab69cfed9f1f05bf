"""Which values make which diagnosis, where the border lies between a slip and a stray pixel."""

import numpy as np
import pytest

from segplug.datasets.diagnosis.facts import LabelFacts
from segplug.datasets.diagnosis.finding import Place
from segplug.datasets.diagnosis.of_values import value_findings
from segplug.datasets.diagnosis.tally import Part, tally


@pytest.mark.parametrize(('counts', 'options', 'name'), [
    ({1: 9999999, 3: 1}, {}, 'off_by_one'),  # no 0 at all: however rare 3 is
    ({0: 900, 1: 99, 3: 1}, {}, 'off_by_one'),  # a share of 1/1000
    ({0: 9000, 1: 999, 3: 1}, {}, 'value_out_of_range'),  # a stray pixel
    ({1: 5, 3: 5, 4: 5}, {}, 'value_out_of_range'),
    ({1: 5, 3: 5}, dict(value_map={1: 0}), 'value_out_of_range'),
    ({0: 5, 255: 5}, dict(num_classes=2), 'binary_255'),
    ({0: 5, 1: 1, 255: 5}, dict(num_classes=2), None),
    ({0: 5, 1: 5, 2: 5, 255: 5}, dict(ignore_index=254), 'value_255_is_no_class'),
    ({0: 5, 1: 5, 2: 5}, dict(reduce_zero_label=True), 'reduced_without_need'),
    ({0: 5, 1: 5, 2: 5, 3: 1}, dict(reduce_zero_label=True), None),
    ({0: 5, 1: 5, 2: 5}, dict(ignore_index=2), 'ignore_index_is_a_class'),
    ({0: 5, 1: 5}, dict(num_classes=1), None),  # a single class is 1
    ({0: 5, 1: 5}, dict(num_classes=1, ignore_index=1), 'ignore_index_is_a_class'),
    ({255: 5}, {}, 'all_ignored')])
def test_values_and_their_diagnosis(counts, options, name):
    facts = LabelFacts('a', (1, 1), np.array(list(counts)), np.array(list(counts.values())))
    part = Part('train', Place('p'), infos=[{}], labels=[facts],
                **{'num_classes': 3, **options})
    found = [f.name for f in value_findings(part, tally(part)) if f.name != 'empty_class']
    assert found == [name] * (name is not None)


def test_a_single_class_that_is_nowhere():
    facts = LabelFacts('a', (1, 1), np.array([0]), np.array([5]))
    part = Part('train', Place('p'), 1, ('crack',), infos=[{}], labels=[facts], is_training=True)
    found, = value_findings(part, tally(part))
    assert (found.what, found.advice) == ('1 of 2 classes have no pixel: crack.', '')
