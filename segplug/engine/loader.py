"""torch's DataLoader, which tells of more workers than cores once, in the log.

torch itself warns at every loader and every start of one, several lines each time.
"""

import functools
import logging

from mmengine.logging import print_log
from torch.utils.data import DataLoader

from .distributed import num_cores


class Loader(DataLoader):
    """A DataLoader; arguments are torch's."""

    def check_worker_number_rationality(self) -> None:
        """torch's, in place of its warning."""
        if self.num_workers > num_cores():
            _tell_once(self.num_workers, num_cores())


@functools.cache
def _tell_once(workers: int, cores: int) -> None:
    print_log(f'num_workers={workers} is more than the {cores} cores there are: that many workers '
              'are started, and each takes memory; fewer may be as fast.', 'current',
              logging.WARNING)
