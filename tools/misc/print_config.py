"""``python tools/misc/print_config.py`` is ``segplug config``; ``--options`` is its
``--cfg-options``, as mmsegmentation has it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.main import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main(['config', *('--cfg-options' if word == '--options' else word
                               for word in sys.argv[1:])]))
