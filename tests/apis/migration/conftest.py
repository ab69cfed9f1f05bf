import textwrap

import pytest

from segplug.apis.migration.source import Source


@pytest.fixture
def source(tmp_path):
    """Text -> its `Source`."""
    def _source(text: str) -> Source:
        path = tmp_path / 'config.py'
        path.write_text(textwrap.dedent(text))
        return Source(path)
    return _source
