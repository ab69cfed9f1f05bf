"""The config that a checkpoint of segplug holds, as JSON text: data, never code."""

import json
from collections.abc import Mapping

from mmengine.config import Config

from .. import registry
from ..errors import CheckpointError, ConfigError
from .config import merge_options
from .data_configs import check_data_config


def config_of_checkpoint(saved: Mapping, source: str, *, options: dict | None = None) -> Config:
    """The config of a loaded checkpoint.

    Args:
        saved: The checkpoint.
        source: Its name.
        options: Overrides by dotted key, as ``--cfg-options``.

    Raises:
        CheckpointError: It holds none, or one that is code, as mmengine writes it.
        ConfigError: It names something to import: modules of ``custom_imports`` have to be
            imported by who trusts them, or installed as a plugin.
    """
    text = (saved.get('meta') or {}).get('cfg')
    fix = 'give the config too: load_model(config, checkpoint), or CONFIG CHECKPOINT'
    if not isinstance(text, str):
        raise CheckpointError(f'{source} holds no config.', fix=fix, culprit=source)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f'The config in {source} is no JSON; other programs write Python '
                              'there, which is code.', fix=fix, culprit=source) from error
    if not isinstance(content, dict):
        raise CheckpointError(f'The config in {source} is no dict.', fix=fix, culprit=source)
    registry.load_plugins()
    imports = content.pop('custom_imports', None)
    try:
        content = _by_name(content)
        check_data_config(content, source)
        cfg = Config(content)
    except ConfigError as error:
        if imports:
            error.fix = f'import {_modules(imports)} before, if you trust them; or {fix}'
        raise
    except (KeyError, RecursionError) as error:  # a name that Config keeps for itself; deep dicts
        raise CheckpointError(f'The config in {source} cannot be read: {error}.', fix=fix,
                              culprit=source) from error
    merge_options(cfg, options or {})
    if cfg.get('default_scope') in (None, 'mmseg'):
        cfg.default_scope = 'segplug'
    return cfg


def _by_name(node):
    """Registered classes that stand by their import path, as Python-style configs name them, by
    their names; nothing is imported."""
    if isinstance(node, dict):
        return {key: _name_of(value) if key == 'type' and isinstance(value, str)
                else _by_name(value) for key, value in node.items()}
    return [_by_name(value) for value in node] if isinstance(node, list) else node


def _name_of(kind: str) -> str:
    module, dot, name = kind.rpartition('.')
    for found in vars(registry).values():
        cls = found.module_dict.get(name) if dot and isinstance(found, registry.Registry) else None
        if cls is not None and (cls.__module__, cls.__qualname__) == (module, name):
            return name
    return kind


def _modules(imports) -> str:
    names = imports.get('imports', imports) if isinstance(imports, dict) else imports
    return names if isinstance(names, str) else ', '.join(map(str, names))
