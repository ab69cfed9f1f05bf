"""The confusion matrix of label maps, with mmsegmentation's arguments; of a test it is
``segplug confusion``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.confusion_matrix import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
