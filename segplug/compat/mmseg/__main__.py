"""``python -m segplug.compat.mmseg SCRIPT ...`` or ``-m MODULE ...``: a program with the names."""

import runpy
import sys
from pathlib import Path

_USAGE = 'usage: python -m segplug.compat.mmseg SCRIPT [args] | -m MODULE [args]'


def main(argv: list[str]) -> int:
    """Run a script or a module as ``python`` does, with mmsegmentation's names lent."""
    by_module = argv[:1] == ['-m']
    if by_module:
        argv = argv[1:]
    if not argv:
        print(_USAGE, file=sys.stderr)
        return 2
    if not by_module and not Path(argv[0]).is_file():
        print(f'There is no script {argv[0]!r}.\n{_USAGE}', file=sys.stderr)
        return 2
    sys.argv = list(argv)
    if by_module:
        runpy.run_module(argv[0], run_name='__main__', alter_sys=True)
    else:
        sys.path.insert(0, str(Path(argv[0]).resolve().parent))
        runpy.run_path(argv[0], run_name='__main__')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
