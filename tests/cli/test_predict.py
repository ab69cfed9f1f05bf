"""Which word of ``segplug predict`` is the config, the checkpoint, an image; and sizes."""

import pytest

from segplug.cli.predict import _pair, _told_apart
from segplug.errors import ConfigError


def test_words_are_told_apart():
    assert _told_apart(['a.py', 'b.pth', 'c.png', 'd']) == ('a.py', 'b.pth', ['c.png', 'd'])
    assert _told_apart(['a.YAML', 'b.pth']) == ('a.YAML', 'b.pth', [])
    assert _told_apart(['b.pth', 'c.png', 'd.mp4']) == ('b.pth', None, ['c.png', 'd.mp4'])


@pytest.mark.parametrize(('words', 'said'), [
    (['c.PNG', 'b.pth'], 'c.PNG is neither config nor checkpoint'),
    (['v.mp4', 'b.pth'], 'v.mp4 is neither config nor checkpoint'),
    (['a.py', 'c.npy', 'd.png'], 'c.npy is no checkpoint')])
def test_a_word_is_missing(words, said):
    with pytest.raises(ConfigError, match=f'{said}. Expected: CONFIG CHECKPOINT IMAGES'):
        _told_apart(words)


def test_sizes():
    assert [_pair(given) for given in (None, '512', '512,1024')] == [None, (512, 512), (512, 1024)]
    for given in ('', '0', '-1', '1,2,3', '512x512', '1.5', '4,'):
        with pytest.raises(ConfigError, match='no size.*512,1024'):
            _pair(given)
