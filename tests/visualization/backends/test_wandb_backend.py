"""Weights & Biases in offline mode, its file read back."""

import numpy as np
import pytest
from mmengine.config import Config
from wandb_file import config, history, records

from segplug.errors import ConfigError

wandb = pytest.importorskip('wandb', reason='pip install -r requirements/tracking.txt')

from segplug.visualization.backends import WandbVisBackend  # noqa: E402

pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning')


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv('WANDB_MODE', 'offline')
    monkeypatch.setenv('WANDB_SILENT', 'true')


def file_of(folder):
    found, = folder.glob('wandb/offline-run-*/*.wandb')
    return found


def test_a_run_has_steps_pictures_config_and_versions(tmp_path):
    folder = tmp_path / 'exp7' / '20260101_000000' / 'vis_data'
    backend = WandbVisBackend(str(folder), define_metric_cfg=dict(mIoU='max'))
    backend.add_config(Config(dict(model=dict(type='X', depth=18))))
    backend.start(None, dict(segplug='1.2'))
    backend.add_scalars({'loss': 0.5, 'note': 'text', 'iter': 50}, step=50)
    backend.add_image('val_a.png', np.zeros((4, 6, 3), np.uint8), step=50)
    backend.add_scalar('mIoU', 12.5, step=50)
    run_id = backend.run_id
    backend.close()
    rows = history(file_of(folder))
    assert [(row['iter'], row.get('loss'), row.get('mIoU')) for row in rows] == [
        (50, 0.5, None), (50, None, None), (50, None, 12.5)]
    assert 'note' not in rows[0]
    assert (rows[1]['val_a.png']['_type'], rows[1]['val_a.png']['width']) == ('image-file', 6)
    known = config(file_of(folder))
    assert known['model'] == dict(type='X', depth=18)
    assert known['version.segplug'] == '1.2'
    found = list(records(file_of(folder)))
    steps = {r.metric.glob_name or r.metric.name: r.metric.step_metric for r in found
             if r.WhichOneof('record_type') == 'metric'}
    assert steps['*'] == 'iter'
    run = next(r.run for r in found if r.WhichOneof('record_type') == 'run')
    assert (run.run_id, run.project, run.display_name) == (run_id, 'segplug', 'exp7')


def test_a_resumed_training_goes_on_with_its_run(tmp_path):
    backend = WandbVisBackend(str(tmp_path / 'b'), init_kwargs=dict(project='other', name='mine'))
    backend.start('abc123', {})
    assert backend.run_id == 'abc123'
    backend.close()
    run = next(r.run for r in records(file_of(tmp_path / 'b'))
               if r.WhichOneof('record_type') == 'run')
    assert (run.run_id, run.project, run.display_name) == ('abc123', 'other', 'mine')


def test_a_test_alone_begins_no_run(tmp_path):
    backend = WandbVisBackend(str(tmp_path / 'c'))
    backend.add_config(Config(dict(a=1)))
    backend.close()
    assert not (tmp_path / 'c').exists()


def test_no_key_is_a_sentence(tmp_path, monkeypatch):
    def init(**_):
        raise wandb.errors.UsageError('No API key configured.\n Use it.')

    monkeypatch.setattr(wandb, 'init', init)
    with pytest.raises(ConfigError, match=r'No API key configured\. Use it.*wandb login'):
        WandbVisBackend(str(tmp_path)).start(None, {})


def test_mmengine_drops_the_step(tmp_path):
    """While this passes, our back end is needed."""
    from mmengine.visualization import WandbVisBackend as Upstream
    backend = Upstream(str(tmp_path / 'up'))
    backend.add_scalars(dict(loss=0.5), step=50)
    backend._wandb.finish()
    row, = history(file_of(tmp_path / 'up'))
    assert row['_step'] == 0
    assert 50 not in row.values()
