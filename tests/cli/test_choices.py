"""What a flag lets one choose from is what the function below it knows. A parser is built without
torch, so it has the names a second time."""

import pytest

from segplug.analysis.cam import METHODS
from segplug.apis.feature_pictures import KINDS
from segplug.apis.predict_files import PROBS
from segplug.export.settings import SUFFIXES, Settings
from segplug.report.charts.heat import NORMALIZE
from tools.docs_site.verbs import parser_of


@pytest.mark.parametrize(('verb', 'flag', 'known'), [
    ('cam', '--method', METHODS), ('features', '--kinds', KINDS), ('export', '--format', SUFFIXES),
    ('confusion', '--normalize', NORMALIZE), ('predict', '--probs', PROBS)])
def test_a_flag_offers_what_is_known(verb, flag, known):
    offered = next(a.choices for a in parser_of(verb)._actions if flag in a.option_strings)
    assert list(offered) == list(known)


@pytest.mark.parametrize('flag', ['--layout', '--channel-order'])
def test_an_export_takes_each_choice(flag):
    name = flag[2:].replace('-', '_')
    for one in next(a.choices for a in parser_of('export')._actions if flag in a.option_strings):
        assert getattr(Settings(**{name: one}), name) == one
