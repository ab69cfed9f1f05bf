"""The one-paragraph form of our errors, and that it survives the way out of a worker process."""

import pickle

import pytest
from torch.utils.data import DataLoader

from segplug.errors import ConfigError, DataError, SegplugError, did_you_mean, nearest


def test_an_error_reads_as_one_paragraph_in_a_fixed_order():
    error = ConfigError('The class count does not fit.', got=19, expected=11,
                        fix='set num_classes=11')
    error.where = 'a.py:3'
    assert str(error) == ('The class count does not fit. It is set in a.py:3. Got: 19. '
                          'Expected: 11. To mend it: set num_classes=11.')


def test_parts_that_are_not_given_are_left_out_but_zero_is_shown():
    assert str(DataError('Bad label.')) == 'Bad label.'
    assert str(DataError('Bad label.', got=0)) == 'Bad label. Got: 0.'


def test_all_are_value_errors():
    assert issubclass(SegplugError, ValueError)


def test_an_error_survives_pickling_with_all_its_parts():
    error = DataError('Bad label.', got=77, expected='0..18', fix='look', culprit='x')
    error.where = 'b.py:1'
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is DataError
    assert str(copy) == str(error)
    assert copy.culprit == 'x'


def test_nearest_ignores_case_and_orders_by_likeness():
    assert nearest('resnet', ['ResNeXt', 'ResNet', 'FCNHead'])[0] == 'ResNet'
    assert nearest('zzz', ['ResNet']) == []


def test_did_you_mean_is_silent_when_nothing_is_near():
    assert did_you_mean('detph', ['depth', 'width']) == "did you mean 'depth' or 'width'"
    assert did_you_mean('qqqq', ['depth']) is None


class _Broken:
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise DataError('a.png is broken.', got='KeyError: x', fix='replace it')


@pytest.mark.parametrize('num_workers', [0, 1])
def test_an_error_reads_the_same_from_a_data_worker(num_workers):
    with pytest.raises(DataError) as caught:
        next(iter(DataLoader(_Broken(), num_workers=num_workers)))
    assert str(caught.value) == 'a.png is broken. Got: KeyError: x. To mend it: replace it.'


def test_what_others_call_it_comes_first():
    assert nearest('samples_per_gpu', ['sampler', 'batch_size']) == ['batch_size', 'sampler']
    assert nearest('Collect', ['Collector', 'PackSegInputs'])[0] == 'PackSegInputs'
    assert nearest('samples_per_gpu', ['x']) == []
