"""Weights & Biases."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.visualization import WandbVisBackend as _Upstream
from mmengine.visualization.vis_backend import force_init_env

from ...errors import ConfigError
from ...registry import VISBACKENDS
from .guard import Tracker, check_installed, numbers

STEP = 'iter'  # what every chart has along x


@VISBACKENDS.register_module()
class WandbVisBackend(_Upstream, Tracker):
    """mmengine's, with the iteration of each value, and a run that a resumed training goes on with.

    mmengine 0.10.7 drops the step: charts count calls, so that pictures and validations push the
    curves apart. It uploads the program on every run, starts a run for each resumed training, and
    one for a test. Here a run starts with the training, values lie along 'iter', and code is
    uploaded only where ``log_code_name`` is given. Test: ``test_mmengine_drops_the_step``. Where
    no server answers, the run is kept on the disk, as with mode='offline'.

    Args:
        save_dir: Folder of the run's files.
        init_kwargs: Of ``wandb.init``: project (default 'segplug'), name (default: the work
            directory's), entity, tags, mode='offline' ...
        define_metric_cfg: {metric: summary}, or a list of arguments of ``define_metric``.
        commit: As in ``wandb.log``.
        log_code_name: Upload the program's source under this name.
        watch_kwargs: Of ``wandb.watch``.

    Raises:
        ConfigError: wandb is not installed.
    """

    def __init__(self, save_dir: str, init_kwargs: dict | None = None,
                 define_metric_cfg: dict | list | None = None, commit: bool = True,
                 log_code_name: str | None = None, watch_kwargs: dict | None = None) -> None:
        check_installed(type(self).__name__)
        super().__init__(save_dir, init_kwargs, define_metric_cfg, commit, log_code_name,
                         watch_kwargs)
        self._config: dict = {}

    def start(self, run_id: str | None, facts: Mapping[str, str]) -> None:
        """See `Tracker`."""
        self._config = {**self._config, **{f'version.{k}': v for k, v in facts.items()}}
        self.run_id = run_id or self.run_id
        if not self._env_initialized:
            self._init_env()
            self._env_initialized = True

    def _init_env(self) -> None:
        import wandb
        folder = Path(self._save_dir)
        folder.mkdir(parents=True, exist_ok=True)
        given = dict(project='segplug', name=folder.absolute().parent.parent.name, dir=str(folder))
        given |= dict(self._init_kwargs or {})
        if self.run_id is not None:
            given |= dict(id=self.run_id, resume='allow')
        try:
            self._wandb = _begun(given)
        except wandb.errors.Error as error:  # no key, a wrong argument
            raise ConfigError(f'Weights & Biases cannot start: {_one_line(error)}.',
                              culprit=type(self).__name__,
                              fix='wandb login, or WANDB_MODE=offline for a run that is sent later '
                                  'by wandb sync') from error
        self.run_id = self._wandb.id
        self._wandb.define_metric('*', step_metric=STEP)
        self._define_metrics()
        self._wandb.config.update(self._config, allow_val_change=True)
        if self._log_code_name is not None:
            self._wandb.log_code(name=self._log_code_name)

    def _define_metrics(self) -> None:
        known = self._define_metric_cfg or []
        rows = [dict(name=metric, summary=summary) for metric, summary in known.items()] \
            if isinstance(known, dict) else known
        for row in rows:
            self._wandb.define_metric(**{'step_metric': STEP, **row})

    def add_config(self, config: Config, **kwargs) -> None:
        """Keep the config for the run, which starts with the training."""
        self._config = config.to_dict()

    @force_init_env
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs) -> None:
        """Record a picture, (H, W, 3) uint8 RGB."""
        import wandb
        self._wandb.log({name: wandb.Image(image), STEP: step}, commit=self._commit)

    @force_init_env
    def add_scalar(self, name: str, value, step: int = 0, **kwargs) -> None:
        """Record a value."""
        self.add_scalars({name: value}, step)

    @force_init_env
    def add_scalars(self, scalar_dict: dict, step: int = 0, file_path: str | None = None,
                    **kwargs) -> None:
        """Record values."""
        self._wandb.log({**numbers(scalar_dict), STEP: step}, commit=self._commit)

    def close(self) -> None:
        """End the run."""
        if hasattr(self, '_wandb'):
            self._wandb.finish()


def _begun(given: dict):
    """The run, on the disk where no server answers."""
    import wandb
    try:
        return wandb.init(**given)
    except wandb.errors.AuthenticationError:
        raise
    except wandb.errors.CommError as error:
        run = wandb.init(**{**given, 'mode': 'offline'})
        command = f'wandb sync{" --append" if "id" in given else ""} {Path(run.dir).parent}'
        print_log(f'Weights & Biases does not answer: {str(error).splitlines()[0].rstrip(".")}. '
                  f'The run is kept on the disk; {command} sends it later.', 'current',
                  logging.WARNING)
        return run


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split()).rstrip('.')
