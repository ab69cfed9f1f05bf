"""A training as it is plainly written: ``python plain.py CONFIG DATA_ROOT WORK_DIR [K=V ...]``.

Everything is imported first, as toolboxes do that register all of their components at import:
segplug whole, and the packages that its components use. mmsegmentation 1.2.2 has imported
matplotlib, scipy and torch's compiler too when its first iteration is done.
"""

import importlib
import pkgutil
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])  # segplug need not be installed
PACKAGES = ('torch', 'torch._dynamo', 'torch.utils.tensorboard', 'mmengine.runner', 'mmcv', 'cv2',
            'numpy', 'scipy.ndimage', 'scipy.io', 'pandas', 'matplotlib.pyplot', 'PIL.Image',
            'numba', 'tifffile')
for name in PACKAGES:
    importlib.import_module(name)
import segplug  # noqa: E402

PARTS = ('models', 'datasets', 'engine', 'evaluation', 'visualization', 'ops')
for found in pkgutil.walk_packages(segplug.__path__, 'segplug.'):
    if found.name.split('.')[1] in PARTS and 'cuda' not in found.name:
        importlib.import_module(found.name)
from segplug.apis.config import parse_options  # noqa: E402
from segplug.apis.training import train  # noqa: E402

config, data_root, work_dir, *options = sys.argv[1:]
train(config, data_root=data_root, work_dir=work_dir, options=parse_options(options))
