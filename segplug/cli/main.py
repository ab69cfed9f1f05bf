"""``segplug <verb> ...``: finds the verb, reads its flags, turns our errors into one paragraph.

Nothing heavy is imported before the flags are read, so ``--help`` is quick. Exit codes: 0 done,
1 an error that a person can mend, 2 wrong flags, 130 interrupted, 143 ended by SIGTERM (138 by
SIGUSR1); a traceback is a bug.
"""

import argparse
import os
import sys
from importlib import import_module
from types import ModuleType

from .. import __version__
from ..errors import SegplugError, did_you_mean, report
from . import completion
from .common import spelled_out
from .help import parser_for
from .signals import ended_by_signals
from .verbs import plugin_verbs

# verb -> (module with add_arguments and run, what --help says of it), in the order of --help
VERBS = {
    'train': ('segplug.cli.train', 'train the model of a config'),
    'test': ('segplug.cli.test', 'score a checkpoint: mIoU, single-scale or --aug-test'),
    'predict': ('segplug.cli.predict', 'label images with a checkpoint'),
    'export': ('segplug.cli.export', 'write ONNX, torch.export or TorchScript, checked'),
    'publish': ('segplug.cli.publish', 'write the weights of a checkpoint as safetensors'),
    'score': ('segplug.cli.score', 'score a folder of predictions against a folder of labels'),
    'compare': ('segplug.cli.compare', 'say whether B is better than A, two test --out folders'),
    'report': ('segplug.cli.report', 'write one page about a test: scores, curves, images'),
    'curves': ('segplug.cli.curves', 'show the training curves of runs, from their logs'),
    'confusion': ('segplug.cli.confusion', 'show what is taken for what: a confusion matrix'),
    'make-minicity': ('segplug.cli.make_minicity', 'make a small Cityscapes of drawn scenes'),
    'doctor': ('segplug.cli.doctor', 'find what is wrong with the data of a config'),
    'stats': ('segplug.cli.stats', 'count classes, sizes, class weights of the data'),
    'browse': ('segplug.cli.browse', 'show samples after the pipeline, with their labels'),
    'pack': ('segplug.cli.pack', 'write a data set decoded, to read crops of it at once'),
    'zoo': ('segplug.cli.zoo', 'list the shipped configs: parameters, multiply-adds'),
    'config': ('segplug.cli.config', 'print a config, merged, with where each value is from'),
    'migrate': ('segplug.cli.migrate', 'make a config of mmsegmentation one of segplug'),
    'complexity': ('segplug.cli.complexity', 'count parameters, multiply-adds, memory'),
    'speed': ('segplug.cli.speed', 'time the network and the whole predict step'),
    'features': ('segplug.cli.features', 'show what layers see in an image'),
    'cam': ('segplug.cli.cam', 'show where the evidence for a class is in an image'),
    'plugins': ('segplug.cli.plugins', 'list plugins, check one, or start one'),
}
# the first verb of a group -> what --help says above it
HEADINGS = {'train': 'train and use a model', 'score': 'scores and curves', 'make-minicity': 'data',
            'zoo': 'configs and networks', 'plugins': 'code of your own'}
_LAST = """segplug VERB --help shows the arguments and an example.

exit codes:
  0    done
  1    something to mend, said in one paragraph
  2    wrong flags
  130  interrupted; 143 ended by SIGTERM

TAB completes verbs, flags and configs once the shell was told so:
  pip install "segplug[completion]"
  eval "$(register-python-argcomplete segplug)"   # in ~/.bashrc
"""


def overview() -> str:
    """The text of ``segplug --help``."""
    rows = '\n'.join((f'\n{HEADINGS[verb]}:\n' if verb in HEADINGS else '')
                     + f'  {verb:<15}{text}' for verb, (_, text) in VERBS.items())
    theirs = '\n'.join(f'  {v.name:<15}of {v.package} {v.version}'
                       + (f', not used: {v.refused}' if v.refused else '')
                       for v in plugin_verbs(VERBS))
    return (f'segplug {__version__}: semantic segmentation from configs\n\n'
            f'usage: segplug VERB [arguments]\n{rows}\n\n'
            + (f'plugins:\n{theirs}\n\n' if theirs else '') + _LAST)


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if completion.asked():
        theirs = {verb.name: f'of {verb.package}' for verb in plugin_verbs(VERBS)}
        completion.answer({**theirs, **{name: text for name, (_, text) in VERBS.items()}},
                          _module_of)
    if not argv or argv[0] in ('-h', '--help', 'help'):
        print(overview(), end='')
        return 0
    if argv[0] == '--version':
        print(__version__)
        return 0
    verb, arguments = argv[0], argv[1:]
    try:
        module = _module_of(verb)
    except SegplugError as error:
        report(f'{type(error).__name__}: {error}')
        return 1
    if module is None:
        return 2
    parser = parser_for(f'segplug {verb}', module.__doc__, getattr(module, 'EXAMPLE', None))
    module.add_arguments(parser)
    args = parser.parse_args(spelled_out(parser, arguments))
    return guarded(module.run, args, [verb, *arguments])


def _module_of(verb: str) -> ModuleType | None:
    """What runs a verb, ours or a plugin's; None, with a sentence said, where there is no such."""
    if verb in VERBS:
        return import_module(VERBS[verb][0])
    theirs = {v.name: v for v in plugin_verbs(VERBS)}
    if verb in theirs:
        return theirs[verb].load()
    hint = did_you_mean(verb, [*VERBS, *theirs]) or 'segplug --help lists the verbs'
    print(f'segplug: there is no verb {verb!r}; {hint}.', file=sys.stderr)
    return None


def guarded(run, args: argparse.Namespace, argv: list[str]) -> int:
    """Call ``run(args, argv)``; our own errors become one paragraph and exit code 1.

    A signal ends it by an exception, so that what it started ends too, with 128 + its number.
    """
    if hasattr(sys.stdout, 'reconfigure'):  # names of files may hold what a terminal has not
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        with ended_by_signals() as hear_no_more:
            warn_of_clashes()
            code = run(args, argv) or 0
            if code > 128:
                hear_no_more()
            sys.stdout.flush()
            return code
    except SegplugError as error:
        report(f'{type(error).__name__}: {error}')
        return 1
    except KeyboardInterrupt:
        report('Interrupted.')
        return 130
    except BrokenPipeError:  # who reads the output has seen enough, as `| head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def warn_of_clashes() -> None:
    """Two distributions of one import name overwrite each other: say so, and what to run."""
    if int(os.environ.get('LOCAL_RANK', 0)):
        return
    from ..compat.distributions import clashing_distributions
    for sentence in clashing_distributions():
        print(f'segplug: warning: {sentence}', file=sys.stderr)


if __name__ == '__main__':
    sys.exit(main())
