"""What a JSON or YAML config may say; what it may not is in test_hostile_files.py."""

import json

import pytest

from segplug.apis.config import load_config
from segplug.apis.data_configs import check_data_config
from segplug.errors import ConfigError

GOOD = [dict(type='FCNHead'), dict(type='mmseg.FCNHead'), dict(type='mmengine.SGD'),
        dict(type='SGD', constructor='DefaultOptimWrapperConstructor'), dict(_scope_='mmengine'),
        dict(type='FCNHeda'),  # the registry says what was meant
        dict(type=None), dict(type=['a', 'b']), dict(text='os.system')]


@pytest.mark.parametrize('node', GOOD)
def test_components_are_named(node, tmp_path):
    check_data_config(dict(model=[node]), tmp_path / 'c.json')


@pytest.mark.parametrize('suffix', ['.json', '.yaml'])
def test_a_config_of_a_shipped_base_loads(suffix, tmp_path):
    text = json.dumps(dict(_base_='segplug::unet/unet_r18_minicity.py', work_dir='w'))
    (tmp_path / f'c{suffix}').write_text(text)
    (tmp_path / f'd{suffix}').write_text(json.dumps(dict(_base_=f'./c{suffix}', resume=True)))
    cfg = load_config(tmp_path / f'd{suffix}')
    assert (cfg.model.type, cfg.work_dir, cfg.resume) == ('EncoderDecoder', 'w', True)


def test_the_place_is_named(tmp_path):
    cfg = dict(model=dict(decode_head=[dict(), dict(norm_cfg=dict(type='torch.nn.ReLU'))]))
    with pytest.raises(ConfigError, match=r'c\.json: model\.decode_head\.1\.norm_cfg\.type names '):
        check_data_config(cfg, tmp_path / 'c.json')


def test_a_python_config_may_import(tmp_path):
    (tmp_path / 'c.py').write_text("model = dict(type='torch.nn.ReLU')")
    assert load_config(tmp_path / 'c.py').model.type == 'torch.nn.ReLU'
