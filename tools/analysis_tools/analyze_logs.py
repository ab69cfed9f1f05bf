"""Curves and times from logs, with mmsegmentation's arguments; ``segplug curves`` does more."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.analyze_logs import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
