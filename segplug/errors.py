"""Errors that tell a person what came, what was expected and what to do.

All are ValueErrors, so code that catches ValueError keeps working. The command line
prints their text as one paragraph and exits with code 1; everything else is a bug and
keeps its traceback.
"""

import difflib
import json
import os
import sys
import time
from collections.abc import Iterable


class SegplugError(ValueError):
    """Base of all errors that a user can cause and mend.

    Args:
        what: One sentence naming the culprit.
        got: What came (shown with ``str``).
        expected: What would have been right.
        fix: What to do now.
        culprit: The exact name or value in the config that is at fault, if there is one;
            the config layer looks it up and adds file and line.
        component: The dict of the config that holds the culprit, where that is known. The
            registries add it to every error of a constructor.
    """

    def __init__(self, what: str, *, got=None, expected=None, fix: str | None = None,
                 culprit: str | None = None, component: dict | None = None) -> None:
        self.what, self.got, self.expected, self.fix = _last_words(what), got, expected, fix
        self.culprit, self.component = culprit, component
        self.where: str | None = None
        super().__init__(self.what)

    def __str__(self) -> str:
        parts = [self.what]
        if self.where is not None:
            parts.append(f'It is set in {self.where}.')
        if self.got is not None:
            parts.append(f'Got: {self.got}.')
        if self.expected is not None:
            parts.append(f'Expected: {self.expected}.')
        if self.fix is not None:
            parts.append(f'To mend it: {self.fix}.')
        return ' '.join(parts)

    def __reduce__(self):
        # DataLoader workers and process pools send exceptions by pickle; keyword-only
        # arguments would be lost with the default.
        return _rebuild, (type(self), {**self.__dict__, 'component': None})


def _last_words(text: str) -> str:
    """What an error said in a DataLoader worker.

    torch makes the error anew in the main process, with the worker's whole traceback as its text;
    our part of that is the last line that starts with our name.
    """
    if 'Original Traceback' not in text:
        return text
    ours = [line for line in text.splitlines() if line.startswith(f'{__name__}.')]
    return ours[-1].partition(': ')[2] if ours else text


def _rebuild(cls: type, state: dict) -> SegplugError:
    error = cls(state['what'])
    error.__dict__.update(state)
    return error


class ConfigError(SegplugError):
    """A config, a command-line option or a registry name is wrong."""


class DataError(SegplugError):
    """An image, a label or a data folder is wrong."""


class CheckpointError(SegplugError):
    """A checkpoint is missing, damaged, unsafe or of another model."""


class OutputError(SegplugError):
    """A file could not be written: the disk is full, or the folder is read-only, a file or gone."""


class ShapeError(SegplugError):
    """A tensor or array has the wrong shape or type."""


class TrainingError(SegplugError):
    """A run cannot go on: its loss is no number, or one of its processes is gone or hangs."""


# What mmsegmentation before 1.0 and other programs call things that are of no similar name here.
_ELSEWHERE = {
    'samples_per_gpu': ('batch_size',), 'workers_per_gpu': ('num_workers',), 'bs': ('batch_size',),
    'img_scale': ('scale',), 'flip_ratio': ('prob',), 'p': ('prob',), 'img_dir': ('data_prefix',),
    'ann_dir': ('data_prefix',), 'split': ('ann_file',), 'learning_rate': ('lr',),
    'wd': ('weight_decay',), 'transforms': ('pipeline',), 'epochs': ('max_epochs',),
    'total_epochs': ('max_epochs',), 'total_iters': ('max_iters',), 'iters': ('max_iters',),
    'weight': ('loss_weight', 'class_weight'), 'ignore_label': ('ignore_index',),
    'DefaultFormatBundle': ('PackSegInputs',), 'Collect': ('PackSegInputs',),
    'ImageToTensor': ('PackSegInputs',), 'MultiScaleFlipAug': ('TestTimeAug',),
    'IterBasedRunner': ('IterBasedTrainLoop',), 'EpochBasedRunner': ('EpochBasedTrainLoop',),
    'CustomDataset': ('BaseSegDataset',), 'mIoU': ('IoUMetric',), 'BatchNorm': ('BN',),
    'BatchNorm2d': ('BN',), 'SyncBatchNorm': ('SyncBN',), 'CELoss': ('CrossEntropyLoss',),
    'CELoss2d': ('CrossEntropyLoss',)}


def nearest(name: str, candidates: Iterable[str], count: int = 3) -> list[str]:
    """The candidates that look most like ``name``, or mean the same, best first; may be empty."""
    by_folded = {}
    for candidate in candidates:
        by_folded.setdefault(candidate.lower(), candidate)
    same = [c for c in _ELSEWHERE.get(name, ()) if c in by_folded.values()]
    close = difflib.get_close_matches(name.lower(), by_folded, n=count, cutoff=0.5)
    return [*dict.fromkeys([*same, *(by_folded[c] for c in close)])][:count]


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """A ``fix`` sentence for a misspelt name, or None when nothing is near."""
    close = nearest(name, candidates)
    return f'did you mean {" or ".join(repr(c) for c in close)}?'.rstrip('?') if close else None


def report(message: str) -> None:
    """Say what went wrong, once.

    Under torchrun every process may fail with the same sentence, so each hands it to the
    launcher in torchrun's error file, and `segplug.cli.launch` prints it.
    """
    error_file = os.environ.get('TORCHELASTIC_ERROR_FILE')
    if error_file and os.environ.get('SEGPLUG_LAUNCHER') == '1':
        extra = {'py_callstack': message, 'timestamp': str(int(time.time()))}
        with open(error_file, 'w', encoding='utf-8') as file:
            json.dump({'message': {'message': message, 'extraInfo': extra}}, file)
    else:
        print(message, file=sys.stderr, flush=True)
