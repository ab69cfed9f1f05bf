"""Where in a config's files, or on the command line, a name was written."""

import pytest
from mmengine.config import Config

from segplug.apis.provenance import explained, locate
from segplug.errors import DataError


def test_locate_finds_the_base_that_wrote_it_and_the_option(write):
    base = write('base.py', "model = dict(\n    backbone=dict(type='ResNett'))\n")
    leaf = write('leaf.py', "_base_ = ['base.py']\n")
    cfg = Config.fromfile(str(leaf))
    assert locate('ResNett', cfg) == f'{base}:2'
    assert locate('detph', cfg, {'model.backbone.detph': 3}) == \
        '--cfg-options model.backbone.detph=3'
    assert locate('nowhere', cfg) is None


def test_explained_adds_the_place_to_our_errors_only(write):
    cfg = Config.fromfile(str(write('a.py', 'x = dict(foo=1)\n')))
    with pytest.raises(DataError, match='a.py:1'), explained(cfg):
        raise DataError('Bad.', culprit='foo')
    with pytest.raises(KeyError), explained(cfg):
        raise KeyError('foo')
