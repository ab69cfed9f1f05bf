"""segplug: semantic segmentation from configs, on one process or many.

Importing this module gives the version and nothing else: no torch, no models, no
plugins. Those come when a command starts or a registry is first asked for a name.
"""

__version__ = '0.1.0'
