"""mmsegmentation's ``pytorch2torchscript.py CONFIG --checkpoint FILE``: `segplug export`, to
TorchScript; no installation needed.

``--verify`` is what every export does; ``--show`` prints the graph.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.main import main  # noqa: E402


def run() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument('--show', action='store_true')
    parser.add_argument('--verify', action='store_true')
    parser.add_argument('--output-file', default='tmp.pt')
    parser.add_argument('--shape', type=int, nargs='+', default=[512, 512])
    args = parser.parse_args()
    shape = [str(side) for side in (args.shape * 2)[:2]]
    code = main(['export', args.config, args.checkpoint, '--format', 'torchscript', '--upsample',
                 '--overwrite', '--out', args.output_file, '--shape', *shape])
    if args.show and not code:
        import torch
        print(torch.jit.load(args.output_file).inlined_graph)
    return code


if __name__ == '__main__':
    sys.exit(run())
