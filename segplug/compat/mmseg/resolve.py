"""Whose object a name of mmsegmentation means: segplug's own, a shim of this package, or none.

The order for a name of a module: the shim that stands for the module, segplug's module of the
same path, segplug's package for that part. What none of them has is `unsupported`.
"""

import importlib
import importlib.util

from .names import MODULES, PACKAGES
from .unsupported import unsupported

_HERE = __package__

# Module of mmsegmentation -> module here whose names come first.
SHIMS = {
    '': 'version', 'version': 'version',
    'apis.inference': 'apis', 'apis.mmseg_inferencer': 'inferencer', 'apis.utils': 'apis',
    **{f'evaluation.metrics.{name}': name for name in (
        'citys_metric', 'depth_metric', 'iou_metric')},
    'engine.hooks.visualization_hook': 'visualization',
    'models.builder': 'builder',
    'models.backbones.resnet': 'blocks',
    **{f'models.backbones.{name}': f'parts.{name}' for name in (
        'bisenetv1', 'bisenetv2', 'erfnet', 'fast_scnn', 'hrnet', 'pidnet', 'resnest', 'resnext',
        'stdc', 'unet')},
    'models.necks.ic_neck': 'parts.ic_neck',
    'models.losses.accuracy': 'losses',
    'models.losses.cross_entropy_loss': 'losses',
    'models.losses.silog_loss': 'silog_loss',
    'models.segmentors.base': 'segmentor', 'models.segmentors.seg_tta': 'tta',
    'structures.sampler.base_pixel_sampler': 'sampler',
    'structures.sampler.builder': 'sampler',
    'utils.class_names': 'class_names',
    'utils.collect_env': 'utils', 'utils.io': 'utils', 'utils.misc': 'utils',
    'utils.set_env': 'utils', 'utils.typing_utils': 'typing_utils',
    **{f'models.utils.{name}': module for name, module in (
        ('basic_block', 'branch_blocks'), ('embed', 'embed'), ('inverted_residual', 'layers'),
        ('ppm', 'layers'), ('se_layer', 'layers'), ('shape_convert', 'shape_convert'),
        ('self_attention_block', 'layers'), ('up_conv_block', 'layers'), ('wrappers', 'layers'),
        ('point_sample', 'layers'))},
}

# Part of mmsegmentation -> packages of segplug that are searched, for whatever lies below it.
SOURCES = {
    'datasets': ('datasets',),
    'datasets.transforms': ('datasets.transforms',),
    'engine': ('engine.hooks', 'engine.layer_decay'),
    'evaluation': ('evaluation',),
    'models': ('models',),
    'models.backbones': ('models.backbones', 'models.layers', 'models.layers.up_conv'),
    'models.decode_heads': ('models.decode_heads', 'models.layers'),
    'models.losses': ('models.losses',),
    'models.necks': ('models.necks',),
    'models.segmentors': ('models.segmentors',),
    'models.utils': ('models.layers', 'models.layers.inverted_residual', 'models.layers.up_conv'),
    'registry': ('registry',),
    'structures': ('structures', 'models.losses'),
    'visualization': ('visualization',),
}


def resolve(module: str, name: str):
    """The object that ``mmseg.<module>.<name>`` is here; the same one at each call."""
    if module in PACKAGES and module:
        home = _home(module, name)
        return getattr(importlib.import_module(f'mmseg.{home}'), name)
    shared = home_of(name) is None  # such as Bottleneck, of which there are four
    for source in _sources(module):
        found = getattr(source, name, None)
        from_here = source.__name__.startswith(_HERE)
        if found is not None and (from_here or not shared or found.__module__ == source.__name__):
            return found
    return unsupported(module, name)


def _home(package: str, name: str) -> str:
    """The module below ``package`` that defines ``name``."""
    return next(module for module, names in MODULES.items() if module not in PACKAGES
                and module.startswith(f'{package}.') and name in names)


def home_of(name: str) -> str | None:
    """The only module that defines ``name``: others may have imported it, as code relies on."""
    homes = [module for module, names in MODULES.items()
             if module not in PACKAGES and name in names and name[0] != '_']
    return homes[0] if len(homes) == 1 else None


def _sources(module: str):
    """The modules to search for the names of a module, best first."""
    if module in SHIMS:
        yield importlib.import_module(f'{_HERE}.{SHIMS[module]}')
    own = f'segplug.{module}'
    if _exists(own):
        yield importlib.import_module(own)
    part = module
    while part and part not in SOURCES:
        part = part.rpartition('.')[0]
    for name in SOURCES.get(part, ()):
        yield importlib.import_module(f'segplug.{name}')


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False
