"""How results print."""

from segplug.apis.activation import Activation, Activations
from segplug.apis.feature_pictures import Features
from segplug.apis.prediction import Prediction
from segplug.apis.results import Metrics, Shown


def test_metrics_print_as_a_table_and_a_line():
    found = Metrics({'mIoU': 50.126, 'aAcc': 90., 'IoU.road': 75.252, 'IoU.<car>': float('nan'),
                     'Acc.road': 80.})
    assert found['mIoU'] == 50.126
    assert found.by_class() == {'IoU': {'road': 75.252, '<car>': found['IoU.<car>']},
                                'Acc': {'road': 80.}}
    assert str(found).splitlines() == [
        '+-------+-------+-------+',
        '| Class |   IoU |   Acc |',
        '+-------+-------+-------+',
        '| road  | 75.25 | 80.00 |',
        '| <car> |     - |     - |',
        '+-------+-------+-------+',
        'mIoU 50.13, aAcc 90.00']
    assert str(Metrics(mIoU=1.)) == 'mIoU 1.00'
    assert '&lt;car&gt;' in found._repr_html_()
    assert '<car>' not in found._repr_html_()


def test_categories_have_a_table_of_their_own():
    found = Metrics({'mIoU': 1., 'IoU.sky': 2., 'IoU_category.sky': 3., 'IoU_category.flat': 4.})
    assert str(found).splitlines() == [
        '+-------+------+', '| Class |  IoU |', '+-------+------+', '| sky   | 2.00 |',
        '+-------+------+',
        '+----------+--------------+', '| Category | IoU_category |',
        '+----------+--------------+', '| sky      |         3.00 |',
        '| flat     |         4.00 |', '+----------+--------------+', 'mIoU 1.00']


def test_losses_are_no_classes():
    found = Metrics({'mIoU': 1., 'val/loss': 2., 'val/decode.loss_ce': 2.})
    assert found.by_class() == {}
    assert str(found) == 'mIoU 1.00, val/loss 2.00'


def test_a_picture_is_not_hidden_by_a_text():
    """A notebook takes HTML before PNG."""
    for found in (Activation, Activations, Features, Prediction):
        assert not hasattr(found, '_repr_html_')
        assert hasattr(found, '_repr_png_')


def test_details_of_metrics_come_after_what_the_config_asks_for():
    class Metric:
        prefix, details = 'a', {'mIoU': 1., 'FWIoU': 2., 'IoU.road': 3.}
    found = Metrics.of({'a/mIoU': 1.}, [Metric(), object()])
    assert found == {'a/mIoU': 1., 'a/FWIoU': 2., 'a/IoU.road': 3.}
    assert found.main() == {'a/mIoU': 1.}
    assert str(found).splitlines()[-1] == 'a/mIoU 1.00'


def test_whatever_prints_shows_itself():
    class Found(Shown):
        def __str__(self):
            return 'a < b'
    shown = Found()._repr_html_()
    assert shown.startswith('<pre ')
    assert shown.endswith('>a &lt; b</pre>')
