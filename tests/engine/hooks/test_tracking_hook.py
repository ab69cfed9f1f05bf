"""One training, resumed, as each back end has it: the same names, steps and values."""

import importlib.util
import json
import socket

import pytest
from engine_toy import toy_cfg
from mmengine.visualization import BaseVisBackend
from wandb_file import history

from segplug.engine.hooks.tracking_hook import KEY
from segplug.engine.runner import Runner
from segplug.errors import ConfigError
from segplug.registry import VISBACKENDS
from segplug.visualization.backends import Tracker

pytestmark = [pytest.mark.filterwarnings('ignore::DeprecationWarning'),
              pytest.mark.filterwarnings('ignore::FutureWarning')]
KINDS = dict(tensorboard='TensorboardVisBackend', wandb='WandbVisBackend',
             mlflow='MLflowVisBackend')


def train(folder, kinds, iters, **options):
    cfg = toy_cfg(folder, **{
        'train_cfg.max_iters': iters, 'train_cfg.val_interval': 2,
        'visualizer': dict(type='SegLocalVisualizer', vis_backends=[
            dict(type=kind) for kind in ('LocalVisBackend', *kinds)]), **options})
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def scalars(folder):
    """{name: [(step, value)]} of scalars.json."""
    found = {}
    for path in sorted(folder.rglob('scalars.json')):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            for name, value in row.items():
                if name != 'step' and isinstance(value, int | float):
                    found.setdefault(name, []).append((row['step'], value))
    return found


def of_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    found = {}
    for path in sorted(folder.rglob('events.out*')):
        events = EventAccumulator(str(path)).Reload()
        for name in events.Tags()['scalars']:
            found.setdefault(name, []).extend((e.step, e.value) for e in events.Scalars(name))
    return found


def of_wandb(folder):
    found, runs = {}, set()
    for path in sorted(folder.rglob('offline-run-*/*.wandb'),
                       key=lambda p: p.stat().st_mtime):
        runs.add(path.name)
        for row in history(path):
            for name, value in row.items():
                if not name.startswith('_'):
                    found.setdefault(name, []).append((row['iter'], value))
    assert len(runs) == 1  # the file has the run's id in its name
    return found


def of_mlflow(folder):
    from mlflow.tracking import MlflowClient
    client = MlflowClient((folder / 'mlruns').as_uri())
    runs = client.search_runs([client.get_experiment_by_name('segplug').experiment_id])
    run, = runs
    return {name: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics}


@pytest.fixture
def closed_port():
    """An address at which nobody answers."""
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return f'http://127.0.0.1:{one.getsockname()[1]}'


@pytest.mark.parametrize('kind', KINDS)
def test_names_steps_and_values_are_those_of_the_disk(kind, tmp_path, monkeypatch):
    if importlib.util.find_spec(kind) is None:
        pytest.skip(f'{kind} is not installed: pip install -r requirements/tracking.txt')
    monkeypatch.chdir(tmp_path)
    for name, value in dict(WANDB_MODE='offline', WANDB_SILENT='true',
                            MLFLOW_ALLOW_FILE_STORE='true').items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    monkeypatch.setattr('segplug.visualization.backends.mlflow_backend.MLflowVisBackend._store',
                        lambda self: (tmp_path / 'mlruns').as_uri())
    train(tmp_path / 'w', [KINDS[kind]], 2)
    train(tmp_path / 'w', [KINDS[kind]], 4, resume='auto')
    expected = scalars(tmp_path / 'w')
    assert [step for step, _ in expected['loss']] == [1, 2, 3, 4]
    assert [step for step, _ in expected['mean']] == [2, 4]
    found = dict(tensorboard=of_tensorboard, wandb=of_wandb, mlflow=of_mlflow)[kind](tmp_path)
    assert set(found) == set(expected)
    for name, points in expected.items():
        if name == 'iter':  # in wandb each row has it
            continue
        assert [step for step, _ in found[name]] == [step for step, _ in points], name
        assert [v for _, v in found[name]] == pytest.approx([v for _, v in points], rel=1e-6)


@VISBACKENDS.register_module()
class ToyTracker(BaseVisBackend, Tracker):
    """Keeps runs in a list; fails while ``down``."""

    runs, down = [], False

    def __init__(self, save_dir):
        super().__init__(save_dir)

    def _init_env(self):
        self._env_initialized = True

    experiment = None

    def start(self, run_id, facts):
        self._init_env()
        self.run_id = run_id or f'run{len(self.runs)}'
        self.runs.append((self.run_id, sorted(facts)))

    def add_scalars(self, scalar_dict, step=0, file_path=None, **kwargs):
        if self.down:
            raise ConnectionError('gone')

    def close(self):
        self.add_scalars({})


@pytest.fixture
def tracker(monkeypatch):
    monkeypatch.setattr(ToyTracker, 'runs', [])
    return ToyTracker


def test_a_checkpoint_holds_the_ids_of_the_runs(tracker, tmp_path):
    first = train(tmp_path, ['ToyTracker'], 2)
    assert first.message_hub.get_info(KEY) == dict(ToyTracker='run0')
    train(tmp_path, ['ToyTracker'], 4, resume='auto')
    train(tmp_path / 'new', ['ToyTracker'], 2, load_from=str(tmp_path / 'iter_2.pth'))
    assert [run for run, _ in tracker.runs] == ['run0', 'run0', 'run2']
    assert {'segplug', 'torch', 'mmengine', 'numpy'} <= set(tracker.runs[0][1])


def test_a_test_begins_no_run(tracker, tmp_path):
    cfg = toy_cfg(tmp_path, visualizer=dict(type='SegLocalVisualizer',
                                            vis_backends=[dict(type='ToyTracker')]))
    Runner.from_cfg(cfg).test()
    assert tracker.runs == []


def test_a_server_that_goes_away_does_not_end_the_training(tracker, tmp_path, monkeypatch):
    monkeypatch.setattr(tracker, 'down', True)
    train(tmp_path, ['ToyTracker'], 4)
    assert (tmp_path / 'iter_4.pth').is_file()
    text = ''.join(path.read_text() for path in tmp_path.rglob('*.log'))
    assert text.count('ToyTracker fails: ConnectionError: gone. The training goes on') == 1
    assert len(scalars(tmp_path)['loss']) == 4


def fails(error):
    def start(*_):
        raise error

    return start


def test_a_server_that_comes_back_has_its_run_in_the_checkpoint(tracker, tmp_path, monkeypatch):
    monkeypatch.setattr('segplug.visualization.backends.guard.PAUSE', 0.)
    begin = tracker._init_env

    def late(self):
        begin(self)
        self.run_id = 'late'

    def add(self, *args, **kwargs):
        if not getattr(self, '_env_initialized', False):
            late(self)

    monkeypatch.setattr(tracker, 'start', fails(ConnectionError('nobody answers')))
    monkeypatch.setattr(tracker, 'add_scalars', add)
    runner = train(tmp_path, ['ToyTracker'], 2)
    assert runner.message_hub.get_info(KEY) == dict(ToyTracker='late')


def test_a_mistake_ends_a_new_training_and_no_resumed_one(tracker, tmp_path, monkeypatch):
    begin = tracker.start
    monkeypatch.setattr(tracker, 'start', fails(ValueError('no such project')))
    with pytest.raises(ConfigError, match='ToyTracker cannot start: ValueError: no such project'):
        train(tmp_path, ['ToyTracker'], 2)
    monkeypatch.setattr(tracker, 'start', begin)
    train(tmp_path, ['ToyTracker'], 2)
    monkeypatch.setattr(tracker, 'start', fails(ValueError('no such project')))
    train(tmp_path, ['ToyTracker'], 4, resume='auto')
    assert (tmp_path / 'iter_4.pth').is_file()


@pytest.mark.parametrize(('kind', 'says'), [
    ('wandb', 'Weights & Biases does not answer'), ('mlflow', 'MLflowVisBackend fails: ')])
def test_a_server_that_is_away_at_the_start_ends_no_training(kind, says, tmp_path, monkeypatch,
                                                             closed_port):
    """Begun without it, and resumed without it: one sentence each, and all values on the disk."""
    package = pytest.importorskip(kind, reason='pip install -r requirements/tracking.txt')
    for name, value in dict(
            WANDB_BASE_URL=closed_port, WANDB_API_KEY='0' * 40, WANDB_SILENT='true',
            WANDB_INIT_TIMEOUT='1', MLFLOW_TRACKING_URI=closed_port,
            MLFLOW_HTTP_REQUEST_MAX_RETRIES='0').items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv('WANDB_MODE', raising=False)
    if kind == 'wandb':
        package.teardown()  # it reads the environment once
    train(tmp_path, [KINDS[kind]], 2)
    train(tmp_path, [KINDS[kind]], 4, resume='auto')
    assert (tmp_path / 'iter_4.pth').is_file()
    texts = [path.read_text() for path in sorted(tmp_path.rglob('*.log'), key=lambda p: p.name)
             if says in path.read_text()]
    assert [text.count(says) for text in texts] == [1, 1]
    assert [step for step, _ in scalars(tmp_path)['loss']] == [1, 2, 3, 4]
    if kind == 'wandb':
        package.teardown()
        assert set(of_wandb(tmp_path)) == set(scalars(tmp_path))
