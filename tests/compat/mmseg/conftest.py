"""mmsegmentation's names, lent for the tests of this folder and taken away after each file."""

import sys

import pytest


@pytest.fixture(scope='module')
def lent():
    """The package that lends them. Never import it at the top of a test: that would lend them to
    the whole run."""
    import segplug.compat.mmseg as package
    package.install()
    yield package
    package.remove()
    assert not [name for name in sys.modules if name.split('.')[0] == 'mmseg']
