import pytest

from segplug.errors import ConfigError
from segplug.models.tta_cfg import TestCfg


def test_it_takes_what_a_config_holds():
    cfg = TestCfg.from_dict(dict(mode='slide', crop_size=[8, 8], stride=4, scales=[1, 2]))
    assert (cfg.crop_size, cfg.stride, cfg.scales) == ((8, 8), (4, 4), (1.0, 2.0))
    assert (cfg.flip, cfg.num_augs) == (False, 2)
    assert TestCfg.from_dict(None) == TestCfg.from_dict({}) == TestCfg()


@pytest.mark.parametrize(('bad', 'message'), [
    (dict(crop_sise=(8, 8)), "no key 'crop_sise'.*'crop_size'"),
    (dict(mode='slid'), "wrong mode.*'slid'.*'slide'"),
    (dict(mode='slide', stride=4), r'wrong crop_size.*\(H, W\)'),
    (dict(mode='slide', crop_size=8), 'wrong stride'),
    (dict(mode='slide', crop_size=8, stride=9), r'stride.*at most crop_size \(8, 8\)'),
    (dict(crop_size=(8, 8, 8)), 'wrong crop_size'),
    (dict(crop_size=(8, 0)), 'wrong crop_size'),
    (dict(scales=[]), 'wrong scales'),
    (dict(scales=[1.0, -1]), 'wrong scales'),
    (dict(flip='yes'), 'wrong flip.*a bool'),
    (dict(base_size=0), 'wrong base_size'),
    (dict(window_batch=0), 'wrong window_batch'),
    (dict(window_average='prob'), "wrong window_average.*'probs'"),
    (dict(upsample='thrice'), "wrong upsample.*'once' or 'twice'"),
])
def test_it_refuses(bad, message):
    with pytest.raises(ConfigError, match=message):
        TestCfg.from_dict(bad)
