"""MLflow."""

import importlib.util
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.visualization import MLflowVisBackend as _Upstream
from mmengine.visualization.vis_backend import force_init_env

from ...compat.config_text import leaves
from ...registry import VISBACKENDS
from .guard import Tracker, check_installed, numbers

# What MLflow takes.
_MOST_PARAMS = 100  # of one call
_LONGEST_VALUE, _LONGEST_NAME = 500, 250
_OTHER_CHARACTERS = re.compile(r'[^/\w.\- ]')
# A server that does not answer holds the training up: at most that often, and so many seconds.
_PATIENCE = dict(MLFLOW_HTTP_REQUEST_MAX_RETRIES='1', MLFLOW_HTTP_REQUEST_TIMEOUT='15')


@VISBACKENDS.register_module()
class MLflowVisBackend(_Upstream, Tracker):
    """mmengine's, by a client of its own, with steps of pictures and a run that is gone on with.

    mmengine 0.10.7 cannot log a picture whose name has no suffix, fails at its end where no
    config was added, uploads what earlier runs left in the work directory, cannot log its config
    a second time to one run, and without a ``tracking_uri`` asks for a store in files, which
    MLflow 3.17 refuses. Test: ``test_mmengine_needs_a_suffix``.

    Args:
        save_dir: Folder of the training's files.
        exp_name: The experiment; default 'segplug'.
        run_name: The run; default: the work directory's name.
        tags, params: Further ones of the run.
        tracking_uri: The server or store. By default what MLFLOW_TRACKING_URI says, or MLflow's
            own: mlflow.db where the training is started, or with mlflow-skinny the folder mlruns.
        artifact_suffix: Files of the training's log folder that are kept, by their ends.
        tracked_config_keys: Top-level keys that become parameters; None is all.
        artifact_location: Of a new experiment.

    Raises:
        ConfigError: mlflow is not installed.
    """

    def __init__(self, save_dir: str, exp_name: str | None = None, run_name: str | None = None,
                 tags: dict | None = None, params: dict | None = None,
                 tracking_uri: str | None = None,
                 artifact_suffix: Sequence[str] | str = ('.json', '.log', '.py', 'yaml'),
                 tracked_config_keys: Sequence[str] | None = None,
                 artifact_location: str | None = None) -> None:
        check_installed(type(self).__name__)
        super().__init__(save_dir, exp_name, run_name, tags, params, tracking_uri,
                         artifact_suffix, tracked_config_keys, artifact_location)
        self._config: Config | None = None
        self._facts: dict[str, str] = {}

    def start(self, run_id: str | None, facts: Mapping[str, str]) -> None:
        """See `Tracker`."""
        self.run_id, self._facts = run_id or self.run_id, dict(facts)
        if not self._env_initialized:
            self._init_env()
            self._env_initialized = True

    def _init_env(self) -> None:
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient
        self._mlflow = MlflowClient(tracking_uri=self._store())
        known = self._known_run()
        if known is None:
            name = self._run_name or Path(self._save_dir).absolute().parent.parent.name
            known = self._mlflow.create_run(self._experiment(), run_name=name)
            self.run_id = known.info.run_id
        else:
            self._mlflow.update_run(self.run_id, status='RUNNING')
        self._record(known)

    def _store(self) -> str:
        uri = self._tracking_uri or os.environ.get('MLFLOW_TRACKING_URI')
        if uri is None and importlib.util.find_spec('sqlalchemy') is not None:
            return f'sqlite:///{Path("mlflow.db").absolute()}'
        uri = uri or Path('mlruns').absolute().as_uri()
        if '://' not in uri or uri.startswith('file:'):
            os.environ.setdefault('MLFLOW_ALLOW_FILE_STORE', 'true')
        return uri

    def _experiment(self) -> str:
        name = self._exp_name or 'segplug'
        found = self._mlflow.get_experiment_by_name(name)
        return found.experiment_id if found is not None else self._mlflow.create_experiment(
            name, artifact_location=self._artifact_location)

    def _known_run(self):
        """The run to go on with; None where there is none, also not in this store."""
        from mlflow.exceptions import MlflowException
        try:
            return self._mlflow.get_run(self.run_id) if self.run_id else None
        except MlflowException as error:
            if error.error_code not in ('RESOURCE_DOES_NOT_EXIST', 'INVALID_PARAMETER_VALUE'):
                raise
            return None

    def _record(self, run) -> None:
        """Config, versions and tags; a parameter that is there already cannot change."""
        from mlflow.entities import Param
        given = {**self._tracked(), **(self._params or {})}
        params = {_name(key): str(value)[:_LONGEST_VALUE] for key, value in given.items()}
        new = [Param(*pair) for pair in params.items() if pair[0] not in run.data.params]
        for first in range(0, len(new), _MOST_PARAMS):
            self._mlflow.log_batch(self.run_id, params=new[first:first + _MOST_PARAMS])
        tags = {**{f'version.{k}': v for k, v in self._facts.items()}, **(self._tags or {})}
        for key, value in tags.items():
            self._mlflow.set_tag(self.run_id, key, value)
        if self._config is not None:
            self._mlflow.log_text(self.run_id, self._config.pretty_text, 'config.py')

    def _tracked(self) -> dict[str, object]:
        if self._config is None:
            return {}
        keys = self._tracked_config_keys
        return {'.'.join(map(str, path)): value for path, value in leaves(self._config.to_dict())
                if keys is None or path[0] in keys}

    @property  # type: ignore
    @force_init_env
    def experiment(self):
        """MLflow's client; the run is `run_id`."""
        return self._mlflow

    def add_config(self, config: Config, **kwargs) -> None:
        """Keep the config for the run, which starts with the training."""
        self._config = config

    @force_init_env
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs) -> None:
        """Record a picture, (H, W, 3) uint8 RGB."""
        self._mlflow.log_image(self.run_id, image, key=_name(name).replace('/', '_'), step=step)

    @force_init_env
    def add_scalar(self, name: str, value, step: int = 0, **kwargs) -> None:
        """Record a value."""
        self.add_scalars({name: value}, step)

    @force_init_env
    def add_scalars(self, scalar_dict: dict, step: int = 0, file_path: str | None = None,
                    **kwargs) -> None:
        """Record values; characters that MLflow does not take in a name become '_'."""
        from mlflow.entities import Metric
        now = int(1000 * time.time())
        self._mlflow.log_batch(self.run_id, metrics=[
            Metric(_name(name), float(value), now, step)
            for name, value in numbers(scalar_dict).items()])

    def close(self) -> None:
        """Keep the log files, and end the run."""
        if not self._env_initialized:
            return
        folder = Path(self._save_dir).parent
        suffixes = self._artifact_suffix
        suffixes = (suffixes,) if isinstance(suffixes, str) else tuple(suffixes)
        for file in sorted(folder.rglob('*')):
            if file.is_file() and file.name.endswith(suffixes):
                below = file.parent.relative_to(folder).as_posix()
                self._mlflow.log_artifact(self.run_id, str(file), None if below == '.' else below)
        self._mlflow.set_terminated(self.run_id)


def _name(text: str) -> str:
    """A name that MLflow takes."""
    return _OTHER_CHARACTERS.sub('_', str(text))[:_LONGEST_NAME]
