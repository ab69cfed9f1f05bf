"""``tools/analysis_tools/visualization_cam.py`` with mmsegmentation's arguments: the prediction for
an image, and Grad-CAM of a class as heat over it; ``segplug cam`` does more."""

import argparse
import sys

from .common import add_device_argument, config_arguments
from .help import parser_for
from .main import guarded

EXAMPLE = """example:
  python tools/analysis_tools/visualization_cam.py street.png \\
      configs/unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth \\
      --target-layers backbone.layer4 --category-index car"""


def main(argv: list[str] | None = None) -> int:
    """Run it; returns the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = parser_for('visualization_cam.py', __doc__, EXAMPLE)
    parser.add_argument('img', metavar='IMAGE', help='an image file')
    parser.add_argument('config', metavar='CONFIG',
                        help='a config file, or the name of a shipped one')
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='a checkpoint file, URL or known name')
    parser.add_argument('--out-file', default='prediction.png',
                        help='for the prediction; prediction.png by default')
    parser.add_argument('--cam-file', default='vis_cam.png',
                        help='for the heat; vis_cam.png by default')
    parser.add_argument('--target-layers', default='backbone.layer4[2]', metavar='NAME',
                        help='whose activations; backbone.layer4[2] by default')
    parser.add_argument('--category-index', default='7', metavar='ID',
                        help='id or name of the class; 7 by default')
    add_device_argument(parser)
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='K=V',
                        help='override any key of the config')
    parser.set_defaults(data_root=None)
    return guarded(run, parser.parse_args(argv), argv)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from pathlib import Path

    from ..apis.activation import cam
    from ..engine.whole_file import whole_file
    from ..visualization.draw import encode_picture
    found, = cam(args.config, args.checkpoint, args.img, args.category_index,
                 layer=args.target_layers, device=args.device, **config_arguments(args))
    for name, picture in ((args.out_file, found.prediction()), (args.cam_file, found.overlay())):
        with whole_file(Path(name), 'wb') as file:
            file.write(encode_picture(picture))
        print(f'Written: {name}')
    print(found)
    return 0
