"""Configs of mmsegmentation 0.x: what changed with 1.0 by a rule is changed by that rule."""

import ast
from pathlib import Path

from . import old_data, old_pipelines, old_schedule
from .literals import assigned, by_key, entries, remove_statement
from .old_transforms import add_entries
from .source import Source
from .tree import Tree

# Top-level names that only 0.x has, and names that only 1.x has.
OLD = {'optimizer_config', 'lr_config', 'checkpoint_config', 'log_config', 'total_iters',
       'total_epochs', 'dist_params', 'workflow', 'resume_from', 'evaluation', 'img_norm_cfg',
       'runner', 'fp16',
       'cudnn_benchmark'}
NEW = {'train_dataloader', 'val_dataloader', 'test_dataloader', 'optim_wrapper',
       'param_scheduler', 'default_scope', 'data_preprocessor', 'default_hooks', 'env_cfg',
       'val_evaluator', 'test_evaluator', 'log_processor', 'randomness', 'visualizer',
       'train_cfg', 'val_cfg', 'test_cfg', 'resume'}
# The name of a base's preprocessor, where a shipped base has taken the usual one.
PREPROCESSING = 'preprocessing'


def is_old(sources: list[Source]) -> bool:
    """Whether one of the files speaks as 0.x does; a name that a file reads is its variable."""
    names = set().union(*(set(source.statements()) - source.names_read() for source in sources))
    data = any(old_data.is_old_data(source, source.statements()['data'].value)
               for source in sources if 'data' in source.statements())
    return bool(names & OLD) or data or ('optimizer' in names and not names & NEW)


def rewrite(tree: Tree, resolved: dict[Path, dict]) -> None:
    """Put the edits of an old config and its bases into the files of ``tree``.

    Args:
        resolved: What each file says with its bases.
    """
    sources, beside = tree.sources, tree.beside(resolved)
    config = resolved[sources[0].path]
    for source in sources:
        taken = beside[source.path] & NEW
        old_pipelines.rewrite(source, PREPROCESSING if 'data_preprocessor' in taken
                              else 'data_preprocessor')
        old_data.rewrite(source, config)
        old_schedule.rewrite(source, resolved[source.path], config, taken)
        _model_settings(source)
    if 'data_preprocessor' in (config.get('model') or {}):
        _preprocessor_of_model(sources, config)
    _evaluators(sources, config)


def _model_settings(source: Source) -> None:
    """``train_cfg`` and ``test_cfg`` of the model stood at the top before 0.12."""
    found = {name: statement for name, statement in source.statements().items()
             if name in ('train_cfg', 'test_cfg') and _is_of_model(source, statement.value)}
    if not found:
        return
    model = source.statements().get('model')
    why = 'train_cfg and test_cfg of a model stand in it; at the top they are the loops'
    texts = {name: source.text[slice(*source.span(statement.value))]
             for name, statement in found.items()}
    if model is not None and entries(source, model.value):
        add_entries(source, model.value, texts, why)
    for i, statement in enumerate(found.values()):
        if model is None and i == 0:
            source.edit(*source.span(statement), assigned('model', list(texts.items())), why)
        else:
            remove_statement(source, statement, why)


def _is_of_model(source: Source, node: ast.expr) -> bool:
    known = entries(source, node)
    return known is not None and not {'type', 'max_iters', 'by_epoch'} & set(by_key(source, node))


def _preprocessor_of_model(sources: list[Source], config: dict) -> None:
    """A shipped base gives the model a preprocessor, which has to be told of this config's."""
    why = 'the shipped base has a data_preprocessor in its model: this is what the config wants'
    source, *bases = sources
    model = source.statements().get('model')
    own = [edit for edit in source.edits if edit.text.startswith('data_preprocessor = ')]
    if own and model is not None and source.span(model)[0] < own[-1].start:
        own[-1].text += "model['data_preprocessor'] = data_preprocessor\n"
        return
    if 'data_preprocessor' in by_key(source, model.value if model else None):
        return
    if own:
        text = 'data_preprocessor'
    elif said := [name for name in (PREPROCESSING, 'data_preprocessor') for base in bases
                  if any(edit.text.startswith(f'{name} = ') for edit in base.edits)]:
        text = f'_base_.{said[0]}'
    elif 'crop_size' in config:
        text = f'dict(size={"" if "crop_size" in source.statements() else "_base_."}crop_size)'
    else:
        return
    if model is not None and entries(source, model.value):
        add_entries(source, model.value, {'data_preprocessor': text}, why)
    elif own:
        own[-1].text += 'model = dict(data_preprocessor=data_preprocessor)\n'
    elif model is None:
        _append(source, f'model = dict(data_preprocessor={text})', why)


def _evaluators(sources: list[Source], config: dict) -> None:
    """What measures: said by ``evaluation``, which the config may have left to its defaults."""
    said = any(edit.text.count('val_evaluator = ') for source in sources for edit in source.edits)
    validates = 'val' in (config.get('data') or {}) or 'val_dataloader' in config
    if said or 'val_evaluator' in config or not validates:
        return
    _append(sources[0], "val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])\n"
            'test_evaluator = val_evaluator', 'mIoU was measured where nothing was said')


def _append(source: Source, text: str, reason: str) -> None:
    """Statements at the end of a file."""
    end = len(source.text)
    gap = '' if source.text.endswith(('\n', '\r')) else '\n'
    source.edit(end, end, f'{gap}{text}\n', reason)
