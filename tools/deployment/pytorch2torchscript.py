"""``pytorch2torchscript.py`` with mmsegmentation's arguments: a checkpoint as TorchScript;
``segplug export`` does more. No installation needed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segplug.cli.help import parser_for  # noqa: E402
from segplug.cli.main import main  # noqa: E402

EXAMPLE = """example:
  python tools/deployment/pytorch2torchscript.py \\
      configs/unet/unet_r18_minicity.py \\
      --checkpoint work_dirs/unet_r18_minicity/iter_1000.pth \\
      --output-file unet.pt --shape 256 512"""


def run() -> int:
    parser = parser_for('pytorch2torchscript.py', __doc__, EXAMPLE)
    parser.add_argument('config', metavar='CONFIG',
                        help='a config file, or the name of a shipped one')
    parser.add_argument('--checkpoint', required=True, help='a checkpoint file, URL or known name')
    parser.add_argument('--show', action='store_true', help='print the graph')
    parser.add_argument('--verify', action='store_true', help='not used here: it is always done')
    parser.add_argument('--output-file', default='tmp.pt', help='tmp.pt by default')
    parser.add_argument('--shape', type=int, nargs='+', default=[512, 512],
                        help='height and width of the image, or one number for a square; 512 512 '
                             'by default')
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
