"""Names of mmsegmentation 0.x, and what they are called since 1.0."""

import re
from pathlib import Path

CLASSES = {'CustomDataset': 'BaseSegDataset'}

_OLD_CONFIG = re.compile(
    r'(?P<folder>.+/)?(?P<model>.+?)_(?P<size>\d+x\d+)_(?P<length>\d+k)_(?P<data>.+)\.py')
_DATA = {'pascal_context': 'pascal-context', 'pascal_context_59': 'pascal-context-59',
         'pascal_voc12': 'voc12', 'voc12aug': 'voc12aug'}


def renamed_config(name: str, root: Path) -> str | None:
    """The name of 1.x, below ``root``, of a config that 0.x called ``name``; None without one.

    >>> renamed_config('pspnet/pspnet_r50-d8_512x1024_40k_cityscapes.py', shipped_configs())
    'pspnet/pspnet_r50-d8_4xb2-40k_cityscapes-512x1024.py'
    """
    found = _OLD_CONFIG.fullmatch(name)
    if not found:
        return None
    data = _DATA.get(found['data'], found['data'])
    pattern = (f'{found["folder"] or "*/"}{found["model"]}_*-{found["length"]}_'
               f'{data}-{found["size"]}.py')
    matches = sorted(root.glob(pattern))
    return matches[0].relative_to(root).as_posix() if len(matches) == 1 else None
