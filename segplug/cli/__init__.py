"""The command line: ``segplug <verb>`` and ``tools/*.py`` are the same code."""
