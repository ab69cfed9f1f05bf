"""Findings as text, and the lines that mend them."""

from segplug.datasets.diagnosis.finding import (
    ERROR,
    NOTE,
    WARNING,
    Finding,
    Place,
    named,
    number_of,
    worst_first,
)


def test_a_finding_says_all_it_has():
    place = Place('a.dataset', loader=1, others=(Place('b.dataset', loader=2), Place('c.dataset')))
    finding = Finding('name', ERROR, 'train', 'What.', 'Why.', advice='this',
                      mending=place.set_loader('x=1'), **named(['1', '2', '3'], num_shown=2))
    assert str(finding).splitlines() == [
        'error: name (train): What. Why.', '    1', '    2', '    and 1 more',
        '  to mend it, in a.dataset.pipeline.1: x=1',
        '  to mend it, in b.dataset.pipeline.2: x=1',  # c.dataset has no loader
        '  to mend it: this']
    assert [line.place for line in place.set('y=2')] == ['a.dataset', 'b.dataset', 'c.dataset']


def test_the_worst_come_first_and_equals_stay_in_order():
    findings = [Finding(name, severity, '', '', '') for name, severity in
                [('1', NOTE), ('2', WARNING), ('3', ERROR), ('4', WARNING)]]
    assert [finding.name for finding in worst_first(findings)] == ['3', '2', '4', '1']


def test_one_is_said_as_one():
    assert number_of(1, 'labels have') == '1 label has'
    assert number_of(2, 'labels have') == '2 labels have'
