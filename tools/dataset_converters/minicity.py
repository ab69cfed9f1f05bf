"""``tools/dataset_converters/minicity.py`` is ``segplug make-minicity``; no installation needed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.main import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main(['make-minicity', *sys.argv[1:]]))
