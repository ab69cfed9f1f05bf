"""Train the model of a config, on one process or many."""

import argparse

from ..startup import collector_rests
from .common import (
    add_amp_argument,
    add_config_arguments,
    add_launch_arguments,
    amp_argument,
    config_arguments,
    is_main_process,
    relaunched,
)

EXAMPLE = """example:
  segplug make-minicity data/minicity
  segplug train unet/unet_r18_minicity.py --nproc 2"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    add_launch_arguments(parser)
    parser.add_argument('--resume', nargs='?', const=True, default=False, metavar='PATH',
                        help='go on from the newest checkpoint of the work directory, or from PATH')
    add_amp_argument(parser)
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help="scale the learning rate to the real batch size, by the config's "
                             'auto_scale_lr.base_batch_size')
    parser.add_argument('--no-doctor', action='store_true',
                        help='train without a look at some labels first (segplug doctor looks at '
                             'all)')
    parser.add_argument('--track', action='append', default=[], metavar='NAME',
                        help='where curves and pictures of validation images go besides the work '
                             'directory: tensorboard, wandb, mlflow; may be given again')


@collector_rests()
def run(args: argparse.Namespace, argv: list[str]) -> int:
    code = relaunched(args, argv)
    if code is not None:
        return code
    from ..apis.training import train
    result = train(args.config, work_dir=args.work_dir, resume=args.resume, amp=amp_argument(args),
                   auto_scale_lr=args.auto_scale_lr, launcher=args.launcher,
                   doctor=not args.no_doctor, track=args.track, **config_arguments(args))
    if is_main_process():
        print(f'Trained. Checkpoint: {result.checkpoint or "none saved"}')
    return 0
