# Mini Cityscapes: street scenes drawn in integers, for trials, tests and benchmarks without a
# download.

from segplug.datasets.minicity.render import render_frame
from segplug.datasets.minicity.writer import make_minicity

__all__ = ['make_minicity', 'render_frame']
