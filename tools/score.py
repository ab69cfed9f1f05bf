"""``python tools/score.py`` is ``segplug score``; no installation needed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from segplug.cli.main import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main(['score', *sys.argv[1:]]))
