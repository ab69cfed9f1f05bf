"""MLflow with a store in files, read back by its own client."""

import numpy as np
import pytest
from mmengine.config import Config

pytest.importorskip('mlflow', reason='pip install -r requirements/tracking.txt')

from segplug.visualization.backends import MLflowVisBackend  # noqa: E402

pytestmark = [pytest.mark.filterwarnings('ignore::DeprecationWarning'),
              pytest.mark.filterwarnings('ignore::FutureWarning')]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv('MLFLOW_ALLOW_FILE_STORE', 'true')
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    return (tmp_path / 'store').as_uri()


@pytest.fixture
def folder(tmp_path):
    """vis_data of a run, and what its log folder holds."""
    found = tmp_path / 'exp7' / '20260101_000000' / 'vis_data'
    found.mkdir(parents=True)
    (found / 'scalars.json').write_text('{}')
    (found.parent / 'run.log').write_text('a line')
    (found.parent / 'iter_8.pth').write_text('weights')
    (found.parents[1] / 'other.log').write_text('of another run')
    return found


def points(client, run_id, name):
    return [(m.step, m.value) for m in client.get_metric_history(run_id, name)]


def test_a_run_that_a_resumed_training_goes_on_with(store, folder):
    cfg = Config(dict(model=dict(type='X', head=dict(depth=18)), steps=[dict(a=1), 5],
                      **{f'key{i}': i for i in range(120)}, long='x' * 2000))
    ids = []
    for step, run_id in ((50, None), (100, 'known')):
        backend = MLflowVisBackend(str(folder), tracking_uri=store, tags=dict(who='me'),
                                   params=dict(mine=3))
        cfg.model.head.depth = step
        backend.add_config(cfg)
        backend.start(run_id and ids[0], dict(segplug='1.2'))
        ids.append(backend.run_id)
        backend.add_scalars({'val/loss': 0.5, 'IoU.sky (blue)': 7.0, 'note': 'x'}, step=step)
        backend.add_scalar('mIoU', float('nan'), step)
        backend.add_image('val_a.png', np.zeros((4, 6, 3), np.uint8), step)
        backend.close()
    client = backend.experiment
    assert ids[0] == ids[1]
    run = client.get_run(ids[0])
    assert (run.info.status, run.info.run_name) == ('FINISHED', 'exp7')
    assert points(client, ids[0], 'val/loss') == [(50, 0.5), (100, 0.5)]
    assert points(client, ids[0], 'IoU.sky _blue_') == [(50, 7.0), (100, 7.0)]
    assert run.data.params['model.head.depth'] == '50'  # what it was begun with
    assert (run.data.params['steps.0.a'], run.data.params['mine']) == ('1', '3')
    assert run.data.params['key119'] == '119'
    assert (run.data.tags['version.segplug'], run.data.tags['who']) == ('1.2', 'me')
    pictures = [f.path for f in client.list_artifacts(ids[0], 'images') if '.png+step' in f.path
                or f.path.endswith('.png')]
    assert any('+step+50+' in path for path in pictures)
    assert any('+step+100+' in path for path in pictures)
    assert {f.path for f in client.list_artifacts(ids[0])} == {
        'config.py', 'images', 'run.log', 'vis_data'}
    assert client.get_experiment_by_name('segplug').experiment_id == run.info.experiment_id


def test_a_run_of_another_store_is_begun_anew(store, folder):
    backend = MLflowVisBackend(str(folder), tracking_uri=store, run_name='named', exp_name='e')
    backend.start('0123456789abcdef0123456789abcdef', {})
    assert backend.run_id != '0123456789abcdef0123456789abcdef'
    assert backend.experiment.get_run(backend.run_id).info.run_name == 'named'


def test_a_test_alone_begins_no_run(store, folder, tmp_path):
    backend = MLflowVisBackend(str(folder), tracking_uri=store)
    backend.add_config(Config(dict(a=1)))
    backend.close()
    assert not (tmp_path / 'store').exists()


def test_the_store_without_a_uri(folder, tmp_path, monkeypatch):
    """Where the training is started: a data base with the whole of MLflow, else a folder."""
    import importlib.util
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    monkeypatch.delenv('MLFLOW_ALLOW_FILE_STORE', raising=False)
    find = importlib.util.find_spec
    for known, expected in ((None, (tmp_path / 'mlruns').as_uri()),
                            (object(), f'sqlite:///{tmp_path / "mlflow.db"}')):
        monkeypatch.setattr(importlib.util, 'find_spec',
                            lambda name, *a, known=known: known if name == 'sqlalchemy' else
                            find(name, *a))
        assert MLflowVisBackend(str(folder))._store() == expected
    monkeypatch.setenv('MLFLOW_TRACKING_URI', 'http://there')
    assert MLflowVisBackend(str(folder))._store() == 'http://there'
    assert MLflowVisBackend(str(folder), tracking_uri='http://here')._store() == 'http://here'


def test_mmengine_needs_a_suffix(store, folder):
    """While this passes, our back end is needed."""
    from mmengine.visualization import MLflowVisBackend as Upstream
    backend = Upstream(str(folder), tracking_uri=store)
    with pytest.raises(Exception, match='(?i)unknown file extension|extension'):
        backend.add_image('val_a', np.zeros((4, 6, 3), np.uint8), 1)
    with pytest.raises(AttributeError, match='cfg'):
        backend.close()
    backend._mlflow.end_run()
