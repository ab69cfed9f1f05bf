"""Class-activation maps, with mmsegmentation's arguments; ``segplug cam`` does more."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.visualization_cam import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
