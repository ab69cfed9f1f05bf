"""Optimizer, learning rate, loop and hooks of mmsegmentation 0.x, under their names since 1.0.

Several statements of 0.x become one; it stands where the first of them stood.
"""

import ast
from collections.abc import Callable, Sequence

from .literals import assigned, by_key, remove_statement, text_of, written
from .old_transforms import value_text
from .source import Source

Pairs = list[tuple[str, str]]


def rewrite(source: Source, resolved: dict, config: dict, taken: set[str]) -> None:
    """Put the edits of everything that is not data or model into ``source``.

    Args:
        resolved: What the file says with its bases, in the words of 0.x.
        config: What the config at the end of the bases says.
        taken: Names that a base beside this one sets, so that this one may not.
    """
    for names, write, reason in (
            (('optimizer', 'optimizer_config', 'fp16'), _optim_wrapper,
             'optimizer, clipping of gradients and half precision are one optim_wrapper'),
            (('lr_config',), _param_scheduler,
             'a schedule is a list, one entry for each part of it; the last one ends with the '
             'run'),
            (('runner', 'total_iters', 'total_epochs', 'evaluation'), _loop,
             'how long and how often: train_cfg; what is measured: the evaluators'),
            (('checkpoint_config', 'log_config'), _hooks, 'saving and logging are default_hooks'),
            (('resume_from', 'auto_resume'), _resume,
             'resume says whether, load_from says what'),
            (('dist_params', 'cudnn_benchmark', 'opencv_num_threads', 'mp_start_method'),
             _environment, 'settings of the process are env_cfg'),
            (('seed', 'deterministic', 'diff_seed'), _randomness, 'seeds are randomness')):
        _group(source, names, write, (resolved, config, taken), reason)
    for name in ('workflow', 'gpu_ids', 'gpus', 'device'):
        if name in source.statements() and name not in source.names_read():
            remove_statement(source, source.statements()[name],
                             f'nothing reads {name} since 1.0')


def _group(source: Source, names: Sequence[str], write: Callable, settings: tuple,
           reason: str) -> None:
    """Put what ``write`` makes of some statements in place of the first, and cut the others."""
    found = {name: statement for name, statement in source.statements().items()
             if name in names and name not in source.names_read()}
    if not found or 'optim_wrapper' in source.statements() and 'optimizer' in names:
        return
    resolved, config, taken = settings
    made = write(source, {name: each.value for name, each in found.items()}, resolved, config)
    lines = [line for line in made if line.partition(' ')[0] not in taken]
    if len(lines) < len(made):
        reason += '; a base beside this one says the rest'
    for i, statement in enumerate(sorted(found.values(), key=lambda each: each.lineno)):
        if i == 0 and lines:
            inner = source.rendered(*source.span(statement))[1]
            source.edit(*source.span(statement), '\n'.join(lines), reason, inner=inner)
        else:
            remove_statement(source, statement, reason)


def _values(source: Source, node: ast.expr | None) -> dict[str, str]:
    """The entries of a dict as texts; ``type`` without its quotes."""
    return {key: text_of(entry.value) if key == 'type' and text_of(entry.value) else
            value_text(source, entry) for key, entry in by_key(source, node).items()}


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and not node.value


# --- the optimizer -----------------------------------------------------------------------------

def _optim_wrapper(source: Source, found: dict[str, ast.expr], resolved: dict,
                   config: dict) -> list[str]:
    optimizer = by_key(source, found.get('optimizer'))
    half = _half_precision(source, found, resolved)
    outer: Pairs = [('type', "'AmpOptimWrapper'" if half is not None else "'OptimWrapper'")] \
        if 'type' in optimizer or half is not None else []
    if optimizer:
        inner = [(key, value_text(source, entry)) for key, entry in optimizer.items()
                 if key not in ('paramwise_cfg', 'constructor')]
        outer.append(('optimizer', written(inner, 4, len('optimizer='))))
        for key in ('constructor', 'paramwise_cfg'):
            if key in optimizer:
                outer.append((key, value_text(source, optimizer[key])))
    elif found.get('optimizer') is not None:
        outer.append(('optimizer', source.rendered(*source.span(found['optimizer']))[0]))
    given = _values(source, found.get('optimizer_config'))
    if 'grad_clip' in given:
        outer.append(('clip_grad', given['grad_clip']))
    if 'cumulative_iters' in given:
        outer.append(('accumulative_counts', given['cumulative_iters']))
    outer += list((half or {}).items())
    return [assigned('optim_wrapper', outer)] if outer else []


def _half_precision(source: Source, found: dict[str, ast.expr],
                    resolved: dict) -> dict[str, str] | None:
    """The settings of half precision, where the file or its bases ask for it."""
    config = resolved.get('optimizer_config')
    kind = str((config or {}).get('type')) if isinstance(config, dict) else ''
    if 'Fp16' not in kind and resolved.get('fp16') is None:
        return None
    given = _values(source, found.get('optimizer_config')) | _values(source, found.get('fp16'))
    return {'loss_scale': given['loss_scale']} if 'loss_scale' in given else {}


# --- the schedule ------------------------------------------------------------------------------

def _param_scheduler(source: Source, found: dict[str, ast.expr], resolved: dict,
                     config: dict) -> list[str]:
    own = _values(source, found['lr_config'])
    whole = resolved.get('lr_config')
    whole = whole if isinstance(whole, dict) else {}
    known = {key: repr(value) for key, value in whole.items() if key != 'type'} | own
    known = _of_base(resolved) | known
    policy = str(known.get('policy', '')).strip('\'"').lower()
    make = _POLICIES.get(policy)
    if make is None:
        source.by_hand.append((found['lr_config'].lineno, f'lr_config has the policy {policy!r}, '
                               'for which there is no rule: write it as param_scheduler'))
        return [source.text[slice(*source.span(_statement(source, 'lr_config')))]]
    by_epoch = known.get('by_epoch', 'True')
    parts, begin = [], '0'
    if known.get('warmup', 'None') not in ('None', "''"):
        begin = known.get('warmup_iters', '0')
        kind = 'ConstantLR' if 'constant' in known['warmup'] else 'LinearLR'
        factor = 'factor' if kind == 'ConstantLR' else 'start_factor'
        parts.append([('type', repr(kind)), (factor, known.get('warmup_ratio', '0.1')),
                      ('by_epoch', known.get('warmup_by_epoch', 'False')), ('begin', '0'),
                      ('end', begin)])
    parts.append([*make(known), *([('begin', begin)] if begin != '0' and by_epoch == 'False'
                                  else []), ('by_epoch', by_epoch)])
    pads = ',\n'.join(f'    {written(part, 4)}' for part in parts)
    return [f'param_scheduler = [\n{pads}\n]']


def _of_base(resolved: dict) -> dict[str, str]:
    """The polynomial of a base that is written in today's words."""
    last = (resolved.get('param_scheduler') or [{}])[-1]
    if last.get('type') != 'PolyLR':
        return {}
    return dict(policy='poly', power=repr(last.get('power', 1)),
                min_lr=repr(last.get('eta_min', 0)), by_epoch=repr(last.get('by_epoch', True)))


def _statement(source: Source, name: str) -> ast.Assign:
    return source.statements()[name]


def _poly(known: dict[str, str]) -> Pairs:
    return [('type', "'PolyLR'"), ('eta_min', known.get('min_lr', '0.')),
            ('power', known.get('power', '1.'))]


def _cosine(known: dict[str, str]) -> Pairs:
    floor = ('eta_min_ratio', known['min_lr_ratio']) if 'min_lr_ratio' in known else \
        ('eta_min', known.get('min_lr', '0.'))
    return [('type', "'CosineAnnealingLR'"), floor]


def _step(known: dict[str, str]) -> Pairs:
    step = known.get('step', '1')
    kind, key = ('MultiStepLR', 'milestones') if step[:1] in '[(' else ('StepLR', 'step_size')
    return [('type', repr(kind)), (key, step), ('gamma', known.get('gamma', '0.1'))]


def _exponential(known: dict[str, str]) -> Pairs:
    return [('type', "'ExponentialLR'"), ('gamma', known.get('gamma', '0.1'))]


def _fixed(known: dict[str, str]) -> Pairs:
    return [('type', "'ConstantLR'"), ('factor', '1.')]


_POLICIES = {'poly': _poly, 'cosineannealing': _cosine, 'step': _step, 'exp': _exponential,
             'fixed': _fixed}


# --- loops, metrics and hooks ------------------------------------------------------------------

def _loop(source: Source, found: dict[str, ast.expr], resolved: dict,
          config: dict) -> list[str]:
    runner, evaluation = (_values(source, found.get(key)) for key in ('runner', 'evaluation'))
    for name, kind in (('iters', 'IterBasedRunner'), ('epochs', 'EpochBasedRunner')):
        if f'total_{name}' in found:
            length = source.rendered(*source.span(found[f'total_{name}']))[0]
            runner = {'type': kind, f'max_{name}': length, **runner}
    by_epoch = 'max_epochs' in runner or 'Epoch' in runner.get('type', '')
    pairs: Pairs = []
    if 'type' in runner:
        pairs.append(('type', "'EpochBasedTrainLoop'" if by_epoch else "'IterBasedTrainLoop'"))
    pairs += [(key, runner[key]) for key in ('max_iters', 'max_epochs') if key in runner]
    if 'interval' in evaluation:
        pairs.append(('val_interval', evaluation['interval']))
    lines = [assigned('train_cfg', pairs)] if pairs else []
    if 'type' in runner:
        lines += ["val_cfg = dict(type='ValLoop')", "test_cfg = dict(type='TestLoop')"]
        lines += [] if by_epoch else ['log_processor = dict(by_epoch=False)']
    known = resolved.get('evaluation')
    if 'metric' in evaluation or 'evaluation' in found and 'metric' not in (known or {}):
        metric = evaluation.get('metric', "'mIoU'")
        metric = metric if metric[:1] in '[(' else f'[{metric}]'
        lines += [assigned('val_evaluator', [('type', "'IoUMetric'"), ('iou_metrics', metric)]),
                  'test_evaluator = val_evaluator']
    if 'save_best' in evaluation and not {'checkpoint_config', 'log_config'} & set(
            source.statements()):
        lines.append(assigned('default_hooks', [('checkpoint', _best(evaluation, 20))]))
    return lines


def _best(evaluation: dict[str, str], used: int) -> str:
    pairs = [(key, evaluation[key]) for key in ('save_best', 'rule') if key in evaluation]
    return written([('type', "'CheckpointHook'"), *pairs], 4, used)


def _hooks(source: Source, found: dict[str, ast.expr], resolved: dict,
           config: dict) -> list[str]:
    saving, logging = (_values(source, found.get(key))
                       for key in ('checkpoint_config', 'log_config'))
    best = _values(source, source.statements()['evaluation'].value) \
        if 'evaluation' in source.statements() else {}
    hooks: Pairs = []
    elsewhere = 'checkpoint_config' in config and 'checkpoint_config' not in found
    if 'log_config' in found and not elsewhere or 'log_config' not in source.statements():
        hooks.append(('logger', _logger(logging, config)))
    if 'checkpoint_config' in found:
        pairs = [('type', "'CheckpointHook'"), *((key, text) for key, text in saving.items()
                                                 if key not in ('type', 'meta', '_delete_'))]
        if 'by_epoch' not in saving:
            pairs.append(('by_epoch', repr(not _by_iteration(resolved))))
        pairs += [(key, best[key]) for key in ('save_best', 'rule') if key in best]
        hooks.append(('checkpoint', written(pairs, 4, len('checkpoint='))))
    elif 'save_best' in best:
        hooks.append(('checkpoint', _best(best, len('checkpoint='))))
    lines = [assigned('default_hooks', hooks)] if hooks else []
    if 'Tensorboard' in logging.get('hooks', '').partition('#')[0]:
        lines.append("visualizer = dict(type='SegLocalVisualizer', vis_backends=[\n"
                     "    dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])")
    return lines


def _logger(logging: dict[str, str], config: dict) -> str:
    """One base alone may set default_hooks: that which saves logs, too, as often as another says.

    mmsegmentation's bases log every 50 iterations, mmengine every 10.
    """
    interval = logging.get('interval') or repr((config.get('log_config') or {}).get(
        'interval', 50))
    pairs = [('type', "'LoggerHook'"), ('interval', interval)]
    pairs += [('log_metric_by_epoch', 'False')] if _by_iteration(config) else []
    return written(pairs, 4, len('logger='))


def _by_iteration(resolved: dict) -> bool:
    runner = resolved.get('runner') or {}
    return 'Epoch' not in str(runner.get('type')) and 'max_epochs' not in runner


def _resume(source: Source, found: dict[str, ast.expr], resolved: dict,
            config: dict) -> list[str]:
    old = found.get('resume_from')
    if old is not None and not _is_false(old):
        return [f'load_from = {source.text[slice(*source.span(old))]}', 'resume = True']
    always = 'auto_resume' in found and not _is_false(found['auto_resume'])
    return [f'resume = {always}']


def _environment(source: Source, found: dict[str, ast.expr], resolved: dict,
                 config: dict) -> list[str]:
    texts = {name: source.text[slice(*source.span(node))] for name, node in found.items()}
    threads = [(key, texts[key]) for key in ('mp_start_method', 'opencv_num_threads')
               if key in texts]
    pairs = [(key, texts[old]) for key, old in (
        ('cudnn_benchmark', 'cudnn_benchmark'), ('dist_cfg', 'dist_params')) if old in texts]
    pairs += [('mp_cfg', written(threads))] if threads else []
    return [assigned('env_cfg', pairs)]


def _randomness(source: Source, found: dict[str, ast.expr], resolved: dict,
                config: dict) -> list[str]:
    names = {'seed': 'seed', 'deterministic': 'deterministic', 'diff_seed': 'diff_rank_seed'}
    return [assigned('randomness', [
        (names[name], source.text[slice(*source.span(node))]) for name, node in found.items()])]
