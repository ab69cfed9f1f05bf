"""Label PNGs written in threads: their bytes, their errors, and how many wait."""

import errno
import threading

import cv2
import numpy as np
import pytest
import torch

from segplug.errors import DataError, OutputError
from segplug.evaluation import writing
from segplug.evaluation.outputs import file_values, label_png
from segplug.evaluation.writing import AHEAD, THREADS, PredictionWriter, publish, tidy


def plain(pred):
    return file_values(pred, 300)


def write_all(folder, values):
    """An error comes at the latest with the last line."""
    writer = PredictionWriter(folder, 0)
    for file, value in values.items():
        writer.put(file, torch.full((2, 2), value), plain)
    return writer.finish()


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int64])
def test_files_hold_what_was_given_even_if_it_is_written_over(tmp_path, dtype):
    writer, pred = PredictionWriter(tmp_path, 3), torch.zeros(4, 6, dtype=dtype)
    for i in range(12):
        pred.fill_(i)
        writer.put(f'{i}.jpg', pred, plain)
    paths = writer.finish()
    assert [p.relative_to(tmp_path).as_posix() for p in paths] == \
        [f'.partial/3-{i}.png' for i in range(12)]
    assert [p.read_bytes() for p in paths] == [label_png(np.full((4, 6), i)) for i in range(12)]


def test_names_come_last(tmp_path):
    paths = write_all(tmp_path, dict(x=0, y=1))
    publish(tmp_path, dict(zip(paths, ['a/röd', 'b'], strict=True)))
    (tmp_path / 'old.png').touch()
    assert tidy(tmp_path, ['a/röd', 'b']) == ['old.png']
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a', 'b.png', 'old.png']
    data = np.frombuffer((tmp_path / 'a/röd.png').read_bytes(), np.uint8)
    assert cv2.imdecode(data, cv2.IMREAD_UNCHANGED).tolist() == [[0, 0], [0, 0]]


def test_a_bad_value_names_the_image(tmp_path):
    with pytest.raises(DataError, match='prediction for bad.jpg: A prediction map.*Got: 300'):
        write_all(tmp_path, {'good.jpg': 0, 'bad.jpg': 300, 'next.jpg': 1})


def test_a_full_disk_names_the_image_and_publishes_nothing(tmp_path, monkeypatch):
    def full(path, data):
        if path.name == '0-1.png':
            raise OSError(errno.ENOSPC, 'No space left on device')
        return len(data)

    monkeypatch.setattr('pathlib.Path.write_bytes', full)
    with pytest.raises(OutputError, match=r'prediction for 1\.jpg could not be written.*No space'):
        write_all(tmp_path, {f'{i}.jpg': 0 for i in range(AHEAD + THREADS + 3)})
    assert not list(tmp_path.glob('*.png'))


def test_no_more_than_a_few_wait(tmp_path):
    """The threads stand still until the caller does, which is when AHEAD files wait."""
    gate, given = threading.Event(), []

    def slow(pred):
        gate.wait(20)
        return pred

    def give(writer):
        for i in range(3 * AHEAD):
            writer.put('x', torch.zeros(1, 1, dtype=torch.uint8), slow)
            given.append(i)

    writer = PredictionWriter(tmp_path, 0)
    caller = threading.Thread(target=give, args=(writer,))
    caller.start()
    while len(given) < AHEAD:
        caller.join(0.01)
    caller.join(0.1)
    assert len(given) == AHEAD
    gate.set()
    caller.join()
    assert len(writer.finish()) == 3 * AHEAD


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OutputError, match='could not be made'):
        writing.PredictionWriter(tmp_path / 'file' / 'sub', 0)
