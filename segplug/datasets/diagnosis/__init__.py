"""What is wrong with a data set: pure functions from what its files hold to findings.

``listing`` finds the files, ``facts`` reads each once, ``tally`` adds up, and ``of_files``,
``of_values``, ``of_splits`` and ``of_images`` turn that into `Finding`s. `segplug.apis.doctor` runs
them.
"""

from .finding import ERROR, NOTE, WARNING, Finding, Mending

__all__ = ['ERROR', 'NOTE', 'WARNING', 'Finding', 'Mending']
