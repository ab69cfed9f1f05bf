"""What the log says beyond mmengine's: memory without a GPU, how far the test is on all
processes."""

import functools
import logging
import os
import sys
from pathlib import Path

import torch
from mmengine.runner import LogProcessor as _UpstreamLogProcessor

from ..registry import LOG_PROCESSORS

_said = set()


def resident_memory() -> int:
    """Memory this process holds now, in MB; 0 where the system does not say."""
    statm = Path('/proc/self/statm')
    if statm.is_file():
        return int(statm.read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') // 2**20
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20  # macOS: bytes, the peak


def told_once(logger: logging.Logger) -> None:
    """Let a log file that cannot be written (a full disk) say so in one sentence, once; Python has
    a page for each line."""
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = functools.partial(_refused, handler)


def _refused(handler: logging.FileHandler, record: logging.LogRecord) -> None:
    error, path = sys.exc_info()[1], handler.baseFilename
    if not isinstance(error, OSError):
        logging.Handler.handleError(handler, record)
    elif path not in _said:
        _said.add(path)
        print(f'The log {path} cannot be written: {error.strerror or error}.', file=sys.stderr)


@LOG_PROCESSORS.register_module()
class LogProcessor(_UpstreamLogProcessor):
    """mmengine's line, with the resident set where there is no GPU memory to show, and in a test
    with the images per second and the remaining time of all processes together."""

    def get_log_after_iter(self, runner, batch_idx: int, mode: str) -> tuple[dict, str]:
        """The values by name, and the line."""
        progress = None if mode == 'train' else getattr(
            getattr(runner, f'{mode}_loop'), 'progress', None)
        now = progress and progress.for_log()
        if now and now.share:
            runner.message_hub.update_info('eta', now.eta)
        tag, line = super().get_log_after_iter(runner, batch_idx, mode)
        if mode == 'train' and not torch.cuda.is_available():
            tag['memory'] = resident_memory()
            line += f'  memory: {tag["memory"]}'
        if now:
            line += f'  images/s: {now.rate:.2f}'
        return tag, line
