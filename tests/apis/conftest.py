"""A trained checkpoint of a very small UNet, made once for the tests of train, test and predict."""

import os
import textwrap

import pytest

from segplug.apis import load_model
from segplug.apis.training import train

CONFIG = 'unet/unet_r18_minicity.py'


@pytest.fixture(scope='session')
def tiny():
    """Overrides that make the quickstart's model a hundredth of its size."""
    return {
        'model.backbone.stem_channels': 8, 'model.backbone.base_channels': 8,
        'model.decode_head.in_channels': (8, 8, 16, 32, 64),
        'model.decode_head.decoder_channels': (16, 8, 8, 8, 8),
        'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False, 'val_dataloader.num_workers': 0,
        'val_dataloader.persistent_workers': False, 'test_dataloader.num_workers': 0,
        'test_dataloader.persistent_workers': False,
        'train_dataloader.dataset.pipeline.2.crop_size': (64, 64),
        'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
        'default_hooks.logger.interval': 1}


@pytest.fixture(scope='session')
def options(tiny):
    """``tiny`` as the words of a command line."""
    return ['--cfg-options', *(f'{k}={v}'.replace(' ', '') for k, v in tiny.items())]


@pytest.fixture(scope='session')
def trained(tiny, minicity, tmp_path_factory):
    """The `TrainResult` of two iterations."""
    return train(CONFIG, options=tiny, data_root=os.fspath(minicity),
                 work_dir=os.fspath(tmp_path_factory.mktemp('trained')))


@pytest.fixture
def write(tmp_path):
    """Write a config file: (name, indented text) -> its path."""
    def _write(name, text):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path
    return _write


@pytest.fixture(scope='module')
def model(trained):
    """The tiny trained network, loaded from its checkpoint alone."""
    return load_model(trained.checkpoint)


@pytest.fixture(scope='module')
def image(minicity):
    """The first street scene of the validation set."""
    return sorted(minicity.rglob('val/*/*_leftImg8bit.png'))[0]
