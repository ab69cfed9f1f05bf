"""Sizes of images that EXIF turns, and of those that it does not."""

import pytest

from segplug.datasets.diagnosis.facts import ImageFacts, LabelFacts
from segplug.datasets.diagnosis.finding import Place
from segplug.datasets.diagnosis.of_files import file_findings
from segplug.datasets.diagnosis.tally import Part


@pytest.mark.parametrize(('image', 'orientation', 'label', 'turns', 'name'), [
    ((2, 3), 1, (2, 3), True, None), ((2, 3), 1, (3, 2), True, 'size_differs'),
    ((2, 3), 6, (3, 2), True, None), ((2, 3), 6, (2, 3), True, 'size_differs'),
    ((2, 3), 6, (2, 3), False, None), ((2, 3), 3, (2, 3), True, 'exif_orientation'),
    ((2, 3), 3, (2, 3), False, None), ((2, 2), 6, (2, 2), True, 'exif_orientation'),
    (None, 1, (2, 3), True, None)])
def test_image_and_label_have_one_size(image, orientation, label, turns, name):
    part = Part('train', Place('p'), infos=[{}], labels=[LabelFacts('l', label)],
                images=[ImageFacts('i', image, '', orientation)], turns_images=turns)
    assert [f.name for f in file_findings(part)] == [name] * (name is not None)


@pytest.mark.parametrize(('path', 'said'), [('a.TIF', True), ('a.png', False)])
def test_a_tiff_that_no_one_decodes_may_have_many_channels(path, said):
    part = Part('train', Place('p'), infos=[{}], labels=[LabelFacts('l', (2, 3))],
                images=[ImageFacts(path, reason='the decoder gave up')])
    finding, = file_findings(part)
    assert finding.name == 'unreadable_image'
    assert ("imdecode_backend='tifffile'" in finding.advice) is said
