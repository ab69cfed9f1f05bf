"""Equal files are found by reading little, and told once for each pair of parts."""

import builtins

from segplug.datasets.diagnosis.facts import LabelFacts
from segplug.datasets.diagnosis.finding import Place
from segplug.datasets.diagnosis.of_splits import equal_files, split_findings
from segplug.datasets.diagnosis.tally import Part, tally


def test_equal_bytes_are_found_behind_equal_sizes_and_ends(tmp_path):
    ends = bytes(70000)
    contents = dict(a=b'one', b=b'one', c=b'two', d=ends + b'x' + ends, e=ends + b'y' + ends,
                    f=ends + b'x' + ends)
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in (*contents, 'missing')]
    assert [[p[-1] for p in group] for group in equal_files(paths)] == [['a', 'b'], ['d', 'f']]


def test_files_of_different_size_are_not_opened(tmp_path, monkeypatch):
    paths = [str(tmp_path / f'{i}') for i in range(3)]
    for i, path in enumerate(paths):
        (tmp_path / path).write_bytes(bytes(i))
    monkeypatch.setattr(builtins, 'open', lambda *_: 1 / 0)
    assert equal_files(paths) == []


def shared(**images):
    """(where, files) of what is found in parts whose samples have these images and no labels."""
    parts = [Part(name, Place(name), infos=[dict(img_path=str(p)) for p in paths],
                  labels=[LabelFacts('')] * len(paths), is_training=name == 'train')
             for name, paths in images.items()]
    return [(f.where, f.files) for f in split_findings(parts, [tally(p) for p in parts])]


def test_an_image_of_training_that_is_scored_is_told_by_either_name(tmp_path):
    one, copy, other, link = (tmp_path / name for name in ('one', 'copy', 'other', 'link'))
    one.write_bytes(b'1')
    copy.write_bytes(b'1')
    other.write_bytes(b'2')
    link.symlink_to(one)
    assert shared(train=[one], val=[copy]) == [('train and val', (f'{one} = {copy}',))]
    assert shared(train=[one], val=[one]) == [('train and val', (f'{one}',))]
    assert shared(train=[one], val=[link]) == [('train and val', (f'{one} = {link}',))]
    assert shared(val=[copy], train=[one, other]) == [('val and train', (f'{copy} = {one}',))]
    assert shared(val=[one], test=[copy]) == [], 'both are scored'
    assert shared(train=[one, copy], val=[other]) == [], 'within one part'
