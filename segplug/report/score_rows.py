"""Which of the scores of a test stand where on a page: tiles, columns of classes, and the rest.

A score of a class is named 'IoU.road', any other 'mIoU'; what there is depends on the metrics of
the test. Letter: K classes.
"""

from collections.abc import Iterable, Sequence

# Scores with a tile of their own, beside mIoU.
TILES = {'aAcc': 'Pixel accuracy', 'mAcc': 'Mean accuracy of classes', 'mFscore': 'Mean F-score',
         'mBIoU': 'Mean Boundary IoU', 'mIoU_category': 'mIoU of categories'}
# Scores of each class, with their heading, beside IoU.
COLUMNS = {'Precision': 'Precision', 'Recall': 'Recall', 'BIoU': 'Boundary IoU'}
_AT_THE_TOP = {'mIoU', 'mIoU_low', 'mIoU_high', *TILES}


def of_classes(names: Iterable[str], classes: Sequence[str]) -> list[str]:
    """The scores that every class has, in order: 'IoU', 'Acc' ...

    Args:
        names: Of all scores. 'IoU_category.sky' is of no class, though one is called so.
        classes: K names.
    """
    known = dict.fromkeys(names)
    found = dict.fromkeys(name.partition('.')[0] for name in known if '.' in name)
    return [score for score in found if classes and all(f'{score}.{one}' in known
                                                        for one in classes)]


def of_the_whole(names: Iterable[str], classes: Sequence[str]) -> list[str]:
    """The scores that are of no class and stand in no tile, in order.

    Args:
        names: Of all scores.
        classes: K names.
    """
    names = list(names)
    single = {f'{score}.{one}' for score in of_classes(names, classes) for one in classes}
    return [name for name in names if name not in single and name not in _AT_THE_TOP]
