"""Flags that mean the same in every verb, and starting a verb on several processes."""

import argparse
import contextlib
import itertools
import logging
import math
import os
import sys


def add_config_arguments(parser: argparse.ArgumentParser, config_nargs: str | None = None,
                         packed: bool = True) -> None:
    """``CONFIG``, ``--data-root``, ``--packed`` where a verb reads samples, ``--cfg-options``."""
    parser.add_argument('config', metavar='CONFIG', nargs=config_nargs,
                        help='a config file, or the name of a shipped one')
    parser.add_argument('--data-root', metavar='DIR',
                        help='root of every data set in the config, wrapped ones too')
    if packed:
        parser.add_argument('--packed', metavar='DIR',
                            help='read the samples from what `segplug pack` wrote there')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='K=V',
                        help='override any key: train_cfg.max_iters=100 model.decode_head.channels='
                             '64; lists as [1,2] or 1,2')


def add_launch_arguments(parser: argparse.ArgumentParser) -> None:
    """``--work-dir``, ``--nproc`` and ``--launcher``."""
    parser.add_argument('--work-dir', metavar='DIR',
                        help='folder for logs and checkpoints; by default work_dirs/ and the name '
                             'of the config')
    parser.add_argument('--nproc', type=int, metavar='N',
                        help='start N processes on this machine (GPUs, or CPU with gloo)')
    parser.add_argument('--launcher', default='none', choices=['none', 'pytorch', 'slurm', 'mpi'],
                        help='who started this process: torchrun is pytorch; none by default')
    # torch.distributed.launch adds it; torchrun sets the environment, which is what we read.
    parser.add_argument('--local-rank', '--local_rank', type=int, help=argparse.SUPPRESS)


def add_speed_arguments(parser: argparse.ArgumentParser) -> None:
    """``--amp``, ``--channels-last`` and ``--compile``."""
    add_amp_argument(parser)
    parser.add_argument('--channels-last', action='store_true',
                        help='images go through the network in the channels_last layout')
    parser.add_argument('--compile', action='store_true',
                        help='torch.compile makes one graph of the network')


def speed_arguments(args: argparse.Namespace) -> dict:
    """The settings of `segplug.engine.speed.Speed` that flags turn on."""
    given = dict(amp=amp_argument(args), channels_last=args.channels_last, compile=args.compile)
    return {key: value for key, value in given.items() if value}


def add_amp_argument(parser: argparse.ArgumentParser) -> None:
    """``--amp``; `amp_argument` reads it."""
    parser.add_argument('--amp', nargs='?', const='auto', choices=['auto', 'bf16', 'fp16'],
                        help='the network computes in half precision: auto, without a value, is '
                             'fp16 on CUDA and bf16 on a CPU')


def amp_argument(args: argparse.Namespace) -> str | bool:
    """'bf16', 'fp16', True for what the device does best, or False."""
    return {None: False, 'auto': True}.get(args.amp, args.amp)


def add_aug_test_argument(parser: argparse.ArgumentParser) -> None:
    """``--aug-test``."""
    parser.add_argument('--aug-test', '--tta', action='store_true', dest='aug_test',
                        help="average over scales and mirror images: the config's aug_test_cfg, "
                             'else the six scales of the Cityscapes test')


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """``--device``."""
    parser.add_argument('--device', metavar='DEVICE',
                        help="'cpu', 'cuda:1', ...; by default a GPU if there is one")


def add_shape_argument(parser: argparse.ArgumentParser) -> None:
    """``--shape``."""
    parser.add_argument('--shape', nargs=2, type=int, metavar=('H', 'W'),
                        help="of the image; by default the config's crop_size, or 512 1024")


def add_classes_argument(parser: argparse._ActionsContainer, what: str) -> None:
    """``--classes``, which says ``what``; `segplug.apis.class_names` reads it."""
    parser.add_argument('--classes', metavar='CLASSES',
                        help=f'{what}: a number, a data set (cityscapes), a file of names, or '
                             'names with commas between')


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """``--threads``."""
    parser.add_argument('--threads', type=int, metavar='N',
                        help='threads that read files, which changes no result; by default as '
                             'many as help on this machine')


def add_splits_arguments(parser: argparse.ArgumentParser) -> None:
    """``--splits`` and ``--limit``."""
    parser.add_argument('--splits', nargs='+', choices=['train', 'val', 'test'],
                        default=['train', 'val', 'test'], metavar='SPLIT',
                        help='which dataloaders: train, val, test; all by default')
    parser.add_argument('--limit', type=int, metavar='N',
                        help='look at N samples of each data set, spread over it; by default '
                             'at all')


@contextlib.contextmanager
def told_on_stderr(name: str):
    """What the logger ``name`` says, and whatever libraries print, goes to standard error: standard
    output may be read by a program."""
    handler, logger = logging.StreamHandler(sys.stderr), logging.getLogger(name)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """``--json``; `print_result` obeys it."""
    parser.add_argument('--json', metavar='FILE', type=_file_name,
                        help='write the result there as data; - prints it, and nothing else')


def _file_name(given: str) -> str:
    if os.path.isdir(given):
        raise argparse.ArgumentTypeError(f'{given} is a folder; expected a file to write, or -')
    return given


def print_result(text: object, data: object, file: str | None) -> None:
    """Print ``text``, and do with ``data`` what ``--json`` asks for.

    Args:
        text: What a person reads.
        data: What a program reads, of lists, dicts and plain values; nan becomes null, which is
            what JSON has.
        file: A file to write, '-' to print the data instead of the text, or None.

    Raises:
        OutputError: The file cannot be written.
    """
    import json
    from pathlib import Path

    from ..errors import OutputError
    from ..evaluation.outputs import atomic_write
    found = None if file is None else json.dumps(_plain(data), indent=2, ensure_ascii=False,
                                                 allow_nan=False) + '\n'
    if file == '-':
        print(found, end='')
        return
    if file is not None:
        try:
            # What is no UTF-8 in a name of a file becomes an escape of JSON.
            atomic_write(Path(file), found.encode('utf-8', 'backslashreplace'))
        except OSError as error:
            raise OutputError(f'--json {file} cannot be written.', got=error,
                              fix='name a file in a folder that you may write to') from error
    print(text)
    if file is not None:
        print(f'Written to {file}')


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def add_weights_arguments(parser: argparse.ArgumentParser) -> None:
    """``--ema`` and ``--weights-key``."""
    parser.add_argument('--ema', action=argparse.BooleanOptionalAction, default=None,
                        help='the averages of an EMA, or the weights they are averages of; by '
                             'default the averages, where mmengine or segplug wrote both')
    parser.add_argument('--weights-key', metavar='KEY',
                        help='which of several networks in the file: teacher, student, model')


def add_load_arguments(parser: argparse.ArgumentParser) -> None:
    """``--ema``, ``--weights-key``, ``--key-map`` and ``--min-loaded``."""
    add_weights_arguments(parser)
    parser.add_argument('--key-map', metavar='NAME',
                        help="whose names the weights have, if the file does not say: 'pidnet', "
                             "'torchvision-fcn' ...; 'none' takes them as they are")
    parser.add_argument('--min-loaded', type=float, metavar='SHARE',
                        help='the least share of the parameters that the file must hold, 0 to 1; '
                             'by default all that a test computes with')


def load_arguments(args: argparse.Namespace) -> dict:
    """The settings of `segplug.engine.loading.LoadCfg` that flags set."""
    given = dict(ema=args.ema, key=args.weights_key, key_map=args.key_map, floor=args.min_loaded)
    return {key: value for key, value in given.items() if value is not None}


def config_arguments(args: argparse.Namespace) -> dict:
    """The keyword arguments that `segplug.apis` takes for the shared flags."""
    from ..apis.config import parse_options
    given = dict(options=parse_options(args.cfg_options), data_root=args.data_root)
    return {**given, 'packed': args.packed} if getattr(args, 'packed', None) else given


def spelled_out(parser: argparse.ArgumentParser, argv: list[str]) -> list[str]:
    """``--amp CONFIG`` as ``--amp=auto CONFIG``: a flag whose value may be left away takes the
    next word only if that is one of its choices."""
    defaults = {flag: action for action in parser._actions for flag in action.option_strings
                if action.nargs == '?' and action.choices}
    words = []
    for word, following in itertools.zip_longest(argv, argv[1:]):
        action = defaults.get(word)
        bare = action is not None and following not in action.choices
        words.append(f'{word}={action.const}' if bare else word)
    return words


def relaunched(args: argparse.Namespace, argv: list[str]) -> int | None:
    """With ``--nproc``, run the same command on N processes and return their exit code."""
    if args.nproc is None:
        return None
    from .launch import launch
    argv = _without(argv, '--nproc')
    program = ['-m', 'segplug.cli.main']
    compat = sys.modules.get('segplug.compat.mmseg')
    if compat is not None and compat.is_lent():  # then every process lends mmsegmentation's names
        program = ['-m', 'segplug.compat.mmseg', *program]
    return launch([*program, *argv, '--launcher', 'pytorch'], nproc=args.nproc)


def _without(argv: list[str], flag: str) -> list[str]:
    kept, skip = [], False
    for word in argv:
        if skip or word.startswith(f'{flag}='):
            skip = False
        elif word == flag:
            skip = True
        else:
            kept.append(word)
    return kept


def is_main_process() -> bool:
    """Whether this process is the one that talks."""
    if 'torch' not in sys.modules:
        return True
    from mmengine.dist import is_main_process as is_main
    return is_main()
