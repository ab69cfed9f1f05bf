"""A run's state as plain data, and back: message hub, config, versions, schedulers.

mmengine pickles its own objects here; a checkpoint of ours holds numbers and text.
"""

import inspect
import json
import time
from importlib import metadata

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from ..registry import load_plugins, plugins_disabled
from .checkpoint import first_unplain, restore_types, to_plain


def config_text(cfg) -> str:
    """The resolved config as JSON; a class stands as its import path, a tuple as a list."""
    return json.dumps(cfg.to_dict(), default=_spell, indent=1)


def _spell(value) -> str:
    if isinstance(value, type) or callable(value):
        return f'{value.__module__}.{getattr(value, "__qualname__", value)}'
    return str(value)


def identity(cfg) -> dict:
    """What all processes of a job must have alike: the config and the plugins."""
    plugins = {} if plugins_disabled() else {
        plugin.name: plugin.error or f'{plugin.package} {plugin.version}'
        for plugin in load_plugins()}
    return dict(config=json.loads(config_text(cfg)), plugins=plugins)


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    from .. import __version__
    found = dict(segplug=str(__version__))
    for name in ('torch', 'mmengine', 'onedl-mmengine', 'numpy'):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def dataset_meta(metainfo: dict | None) -> dict:
    """Classes and palette (and what else is plain) of a data set."""
    plain = to_plain(dict(metainfo or {}))
    return {k: v for k, v in plain.items() if first_unplain(v) is None}


def run_meta(runner, meta: dict | None, by_epoch: bool) -> dict:
    """``meta`` of a checkpoint: where the run stands and how it came there."""
    metainfo = dataset_meta(getattr(runner.train_dataloader.dataset, 'metainfo', None))
    return dict(
        # Hooks save after the step but before the loop counts it.
        epoch=runner.epoch + 1 if by_epoch else runner.epoch,
        iter=runner.iter if by_epoch else runner.iter + 1,
        cfg=config_text(runner.cfg), seed=runner.seed, experiment_name=runner.experiment_name,
        time=time.strftime('%Y%m%d_%H%M%S'), versions=versions(), world_size=runner.world_size,
        dataset_meta=metainfo, classes=metainfo.get('classes'), palette=metainfo.get('palette'),
    ) | to_plain(meta or {})


def hub_state(hub: MessageHub) -> dict:
    """The message hub's histories as arrays; what is not data is left out."""
    state = hub.state_dict()
    histories = {}
    for name, buffer in state['log_scalars'].items():
        values, counts = buffer.data
        histories[name] = dict(log_history=_tensor(values), count_history=_tensor(counts),
                               max_length=buffer.max_length)
    infos = {name: to_plain(value) for name, value in state['runtime_info'].items()}
    infos = {name: value for name, value in infos.items() if first_unplain(value) is None}
    kept = {name: bool(value) for name, value in state['resumed_keys'].items()
            if name in histories or name in infos}
    return dict(log_scalars=histories, runtime_info=infos, resumed_keys=kept)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64).copy())


def load_hub_state(hub: MessageHub, state: dict) -> None:
    """Take over a state that `hub_state` made, or mmengine itself."""
    buffers = {}
    for name, history in state.get('log_scalars', {}).items():
        if isinstance(history, dict) and 'log_history' in history:
            values, counts = (torch.as_tensor(history[key]).cpu().numpy()  # read to a GPU, maybe
                              for key in ('log_history', 'count_history'))
            if {values.dtype.kind, counts.dtype.kind} - {*'biuf'}:
                raise ValueError(f'the log of {name} is not of real numbers')
            buffers[name] = HistoryBuffer(values, counts, int(history['max_length']))
    infos = dict(state.get('runtime_info', {}))
    for name, value in infos.items():
        if str(name).startswith(('last_ckpt', 'best_ckpt')) and not isinstance(value, str | None):
            raise ValueError(f'{name} is no path but {value!r:.100}')
    kept = {name: True for name, value in state.get('resumed_keys', {}).items()
            if value and (name in buffers or name in infos)}
    hub.load_state_dict(dict(log_scalars=buffers, runtime_info=infos, resumed_keys=kept))


def schedulers_state(schedulers):
    """State of a list of schedulers, or of a dict of such lists.

    Functions (OneCycleLR keeps its annealing as one) are left out: the constructor makes them.
    """
    if isinstance(schedulers, dict):
        return {name: schedulers_state(several) for name, several in schedulers.items()}
    return [{key: value for key, value in scheduler.state_dict().items() if not callable(value)}
            for scheduler in schedulers]


def load_schedulers_state(schedulers, state) -> None:
    """Take over a state of the same shape."""
    if isinstance(schedulers, dict):
        for name, several in schedulers.items():
            load_schedulers_state(several, state[name])
        return
    for scheduler, one in zip(schedulers, state, strict=False):
        scheduler.load_state_dict(restore_types(scheduler.__dict__, one))


def schedule_changes(schedulers, state) -> list[str]:
    """What a checkpoint's state of the schedules changes of the config's, a sentence for each."""
    if isinstance(schedulers, dict):
        return [sentence for name, several in schedulers.items()
                for sentence in schedule_changes(several, state[name])]
    said = []
    if len(schedulers) != len(state):
        said.append(f'The checkpoint holds the state of {len(state)} schedules, the config has '
                    f'{len(schedulers)}: only as many as both have are taken up.')
    for scheduler, saved in zip(schedulers, state, strict=False):
        for key in _settings(type(scheduler)):
            ours, theirs = scheduler.__dict__.get(key), saved.get(key)
            if type(ours) in (bool, int, float, str) and key in saved and ours != theirs:
                said.append(f'{type(scheduler).__name__} goes on with {key}={theirs} of the '
                            f'checkpoint, not with {ours} of the config.')
    return said


def _settings(kind: type) -> list[str]:
    """The arguments of a scheduler's constructors."""
    return list(dict.fromkeys(
        name for base in kind.__mro__[:-1] if '__init__' in vars(base)
        for name in inspect.signature(base.__init__).parameters
        if name not in ('self', 'verbose', 'last_step')))


# --- validations ---------------------------------------------------------------------------

_VALIDATED_AT = 'last_validation'  # a name that begins with val would be in the log


def note_validation(runner) -> None:
    """Remember, with the run's state, that the validation of this iteration is done."""
    runner.message_hub.update_info(_VALIDATED_AT, runner.iter)


def follows_validation(runner) -> bool:
    """Whether something a checkpoint holds follows from validations: a schedule, a best score, or
    what a hook that says ``follows_validation`` keeps."""
    schedulers = runner.param_schedulers or []
    lists = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    return (any(getattr(one, 'need_val_args', False) for several in lists for one in several)
            or any(getattr(hook, 'save_best', None) or getattr(hook, 'follows_validation', False)
                   for hook in runner.hooks))


def validation_is_owed(runner) -> bool:
    """Whether a resumed run has not done a validation that was due where it stopped.

    Checkpoints are written before the validation of the same iteration, so that its failure
    costs no training. Without a follow-up (`follows_validation`) nothing is lost but a row of
    the log, and the run goes on at once.
    """
    return (runner.iter > 0 and follows_validation(runner)
            and runner.message_hub.get_info(_VALIDATED_AT) != runner.iter)
