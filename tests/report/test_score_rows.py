"""Which scores are of a class, and which stand in no tile."""

from segplug.report.score_rows import TILES, of_classes, of_the_whole

NAMES = ['aAcc', 'FWIoU', 'mIoU', 'mIoU_low', 'mBIoU', 'own/mIoU', 'IoU.sky', 'IoU.a.b', 'Acc.sky',
         'BIoU.sky', 'BIoU.a.b', 'IoU_category.sky']


def test_a_score_of_classes_is_one_that_each_has():
    """A class's name may hold a point; a category may be called as a class; Acc lacks 'a.b'."""
    assert of_classes(NAMES, ['sky', 'a.b']) == ['IoU', 'BIoU']
    assert of_classes(NAMES, ['sky']) == ['IoU', 'Acc', 'BIoU', 'IoU_category']
    assert of_classes(NAMES, []) == []


def test_the_rest_in_the_order_of_the_file():
    assert of_the_whole(NAMES, ['sky', 'a.b']) == ['FWIoU', 'own/mIoU', 'Acc.sky',
                                                   'IoU_category.sky']
    assert of_the_whole(iter(TILES), ['sky']) == []
