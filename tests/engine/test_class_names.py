"""Classes of a checkpoint, by every key under which programs keep them."""

import types

import pytest

from segplug.engine import class_names
from segplug.engine.class_names import classes_of, tell_other_classes
from segplug.errors import CheckpointError

COLOURS = [[0, 0, 0], [9, 9, 9]]


@pytest.mark.parametrize('meta', [
    dict(dataset_meta=dict(classes=('a', 'b'), palette=COLOURS)),  # mmsegmentation 1.x
    dict(CLASSES=('a', 'b'), PALETTE=COLOURS),  # 0.x
    dict(classes=('a', 'b'), palette=COLOURS, CLASSES=('x', 'y')),
    dict(dataset_meta=dict(classes=None), classes=('a', 'b'), palette=COLOURS)])
def test_every_key(meta):
    assert classes_of(dict(meta=meta)) == dict(classes=('a', 'b'), palette=COLOURS)


@pytest.mark.parametrize('checkpoint', [
    {}, dict(meta=None), dict(meta='text'), dict(meta=dict(classes='names.txt')),
    dict(meta=dict(CLASSES=None, dataset_meta=[])), dict(meta=dict(classes=()))])
def test_none(checkpoint):
    assert classes_of(checkpoint) == {}


def loop(*classes):
    dataset = types.SimpleNamespace(metainfo=dict(classes=classes))
    return types.SimpleNamespace(dataloader=types.SimpleNamespace(dataset=dataset))


def test_labels_of_another_order_are_refused(monkeypatch):
    said = []
    monkeypatch.setattr(class_names, 'print_log', lambda text, **_: said.append(text))
    saved = dict(meta=dict(classes=['road', 'car']))
    with pytest.raises(CheckpointError, match="class 0 is 'road' in the checkpoint and 'car' in"):
        tell_other_classes(saved, 'a.pth', [None, dict(), loop('car', 'road')])
    tell_other_classes(saved, 'a.pth', [loop('road', 'car'), loop('a', 'b', 'c')])
    tell_other_classes({}, 'a.pth', [loop('car', 'road')])
    assert said == []
    tell_other_classes(saved, 'a.pth', [loop('road', 'vehicle')])
    assert "'car' in the checkpoint and 'vehicle' in the data set" in said[0]
