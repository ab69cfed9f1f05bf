# The label table equals the official one of cityscapesscripts.

import pytest

from segplug.datasets.minicity.labels import LABELS, colour_table, train_id_table

official = pytest.importorskip('cityscapesscripts.helpers.labels')


def test_every_row_is_official():
    for name, (label_id, train_id, has_instances, colour) in LABELS.items():
        label = official.name2label[name]
        assert (label.id, label.trainId, label.color) == (label_id, train_id, colour)
        assert label.hasInstances == has_instances


def test_tables_follow_the_official_labels():
    ids, colours = train_id_table(), colour_table()
    for label_id, _, _, _ in LABELS.values():
        assert ids[label_id] == official.id2label[label_id].trainId
        assert tuple(colours[label_id]) == (*official.id2label[label_id].color, 255)
    assert ids[200] == 255


def test_all_nineteen_classes_have_a_row():
    assert {row[1] for row in LABELS.values()} == {*range(19), 255}
