"""Images a second, with mmsegmentation's arguments; ``segplug speed`` does more."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.benchmark import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
