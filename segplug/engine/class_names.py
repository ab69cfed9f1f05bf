"""What a checkpoint says its classes are: names and colours, by whoever's key.

They are never guessed from the number of classes. A network that is tested on labels whose
classes stand in another order is told apart from a bad one.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

from mmengine.logging import print_log

from ..errors import CheckpointError


def classes_of(checkpoint: Mapping) -> dict:
    """``classes`` and ``palette`` (or None) of a checkpoint's meta; empty where it has none.

    mmsegmentation keeps both in ``dataset_meta``, and before 1.0 in capitals.
    """
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    inner = meta.get('dataset_meta')
    old = {key: meta.get(key.upper()) for key in ('classes', 'palette')}
    for known in (inner if isinstance(inner, Mapping) else {}, meta, old):
        names = known.get('classes')
        if isinstance(names, Sequence) and not isinstance(names, str) and len(names):
            return dict(classes=names, palette=known.get('palette'))
    return {}


def tell_other_classes(checkpoint: Mapping, source, loops: Iterable) -> None:
    """Compare a checkpoint's classes with those of the labels it is about to be scored on.

    Args:
        checkpoint: As it was read.
        source: Its name.
        loops: A runner's loops, built or not.

    Raises:
        CheckpointError: The same classes stand in another order.
    """
    trained = tuple(classes_of(checkpoint).get('classes', ()))
    for loop in loops:
        dataset = getattr(getattr(loop, 'dataloader', None), 'dataset', None)
        labels = (getattr(dataset, 'metainfo', None) or {}).get('classes')
        if not trained or not labels or len(trained) != len(labels) or tuple(labels) == trained:
            continue
        at = next(i for i, names in enumerate(zip(trained, labels, strict=True))
                  if names[0] != names[1])
        got = f'class {at} is {trained[at]!r} in the checkpoint and {labels[at]!r} in the data set'
        if sorted(trained) == sorted(labels):
            raise CheckpointError(
                f'{source} was trained with the same classes in another order.', got=got,
                culprit=str(source), fix='give the data set metainfo=dict(classes=...) in the '
                "order of the training, and label_map where the labels' values differ")
        print_log(f'{source} was trained with other names of classes: {got}.', logger='current',
                  level=logging.WARNING)
