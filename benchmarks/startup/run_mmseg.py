"""mmsegmentation's own tools/train.py, on mmcv-lite: ``run_mmseg.py CONFIG --work-dir DIR``."""

import runpy
import sys
from importlib import metadata
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1] / 'train_step')
from stand_in import lend  # noqa: E402

lend()
sys.argv[0] = str(metadata.distribution('mmsegmentation').locate_file('mmseg/.mim/tools/train.py'))
runpy.run_path(sys.argv[0], run_name='__main__')
