"""Distributions that install the same import name and so overwrite each other's files.

Standard library only: it runs before anything that such a clash may have broken is imported.
"""

from importlib import metadata

# import name -> the distributions that install it, the one to keep first
SAME_IMPORT_NAME = {
    'mmengine': ('mmengine', 'onedl-mmengine', 'mmengine-lite'),
    'mmcv': ('mmcv-lite', 'mmcv', 'onedl-mmcv', 'mmcv-full', 'onedl-mmcv-lite'),
    'cv2': ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python',
            'opencv-contrib-python-headless'),
}


def installed(names: tuple[str, ...]) -> list[str]:
    """Those of ``names`` that are installed, in the same order."""
    found = []
    for name in names:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def clashing_distributions() -> list[str]:
    """One sentence for each import name that two installed distributions claim."""
    sentences = []
    for module, names in SAME_IMPORT_NAME.items():
        found = installed(names)
        if len(found) > 1:
            sentences.append(
                f'{" and ".join(found)} both install the module {module!r} and overwrite each '
                f'other; run: pip uninstall -y {" ".join(found)} && pip install {found[0]}')
    return sentences
