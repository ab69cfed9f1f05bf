import pytest

from segplug.errors import ConfigError
from segplug.models import decode_heads
from segplug.models.layers import check_several, refuse_set


def test_what_is_named_but_absent_may_not_be_set():
    refuse_set('ANet', dict(dcn=None, plugins=None))
    with pytest.raises(ConfigError, match='ANet has no plugins') as error:
        refuse_set('ANet', dict(dcn=None, plugins=[]))
    assert error.value.culprit == 'plugins'


def test_a_number_is_not_several():
    check_several('AHead', scales=(1, 2), sizes=[3])
    with pytest.raises(ConfigError, match='AHead takes several sizes') as error:
        check_several('AHead', scales=(1, 2), sizes=3)
    assert error.value.culprit == 'sizes'


@pytest.mark.parametrize(('head', 'name'), [
    ('APCHead', 'pool_scales'), ('ASPPHead', 'dilations'), ('DMHead', 'filter_sizes'),
    ('LRASPPHead', 'branch_channels'), ('PSPHead', 'pool_scales')])
def test_heads_name_the_setting_that_is_no_list(head, name):
    with pytest.raises(ConfigError, match=f'{head} takes several {name}'):
        getattr(decode_heads, head)(in_channels=4, channels=2, num_classes=2, **{name: 1})
