"""Write a checkpoint as one file that runs without segplug: ONNX, torch.export or TorchScript. The
file gets its name once it was run beside the model and gave the same."""

import argparse

from .common import (
    add_classes_argument,
    add_config_arguments,
    add_load_arguments,
    add_shape_argument,
    config_arguments,
    load_arguments,
)

EXAMPLE = """example:
  segplug export work_dirs/unet_r18_minicity/iter_1000.pth --with-preprocess \\
      --argmax --dynamic --out unet.onnx
  segplug export unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth --format torchscript"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    parser.add_argument('checkpoint', metavar='CHECKPOINT', nargs='?',
                        help='a checkpoint file, URL or known name; CONFIG may be left away for '
                             'those that segplug wrote')
    parser.add_argument('--format', default='onnx',
                        choices=['onnx', 'torch-export', 'torchscript'], help='onnx by default')
    parser.add_argument('--out', metavar='FILE',
                        help='the file, or a folder for it; beside the checkpoint by default')
    parser.add_argument('--overwrite', action='store_true', help='replace a file that is there')
    add_shape_argument(parser)
    parser.add_argument('--dynamic', action='store_true',
                        help='images of any size may come; an error where that would be wrong')
    parser.add_argument('--dynamic-batch', action='store_true', dest='batch',
                        help='any number of images may come at once')
    parser.add_argument('--with-preprocess', action='store_true',
                        help='the file takes uint8 images; else float32 (N, C, H, W), normalised')
    parser.add_argument('--layout', default='NHWC', choices=['NHWC', 'NCHW'],
                        help='of uint8 images; NHWC by default')
    parser.add_argument('--channel-order', default='rgb', choices=['rgb', 'bgr'],
                        help='of uint8 images with three channels; rgb by default')
    parser.add_argument('--upsample', action='store_true',
                        help="the logits come at the size of the image, not at the head's own")
    parser.add_argument('--argmax', action='store_true',
                        help='the file gives labels, at the size of the image')
    parser.add_argument('--opset', type=int, metavar='N', help="of ONNX; the exporter's own by "
                                                               'default')
    add_classes_argument(parser, 'what the classes are, if neither checkpoint nor config says')
    add_load_arguments(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.exporting import export
    result = export(args.config, args.checkpoint, format=args.format, out=args.out,
                    shape=args.shape, dynamic=args.dynamic, batch=args.batch,
                    with_preprocess=args.with_preprocess, layout=args.layout,
                    channel_order=args.channel_order, upsample=args.upsample, argmax=args.argmax,
                    opset=args.opset, overwrite=args.overwrite, load=load_arguments(args),
                    classes=args.classes, **config_arguments(args))
    print(result)
    return 0
