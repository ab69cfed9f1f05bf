import pytest

from segplug.errors import ConfigError
from segplug.models.layers.extras import import_extra


def test_what_is_there_is_imported():
    assert import_extra('json.decoder', 'x', 'Y').__name__ == 'json.decoder'


def test_what_is_absent_names_the_command():
    with pytest.raises(ConfigError) as error:
        import_extra('no_such_package.part', 'x', 'Y')
    assert str(error.value) == ('Y needs no_such_package, which is not installed. '
                                'To mend it: pip install "segplug[x]".')


def test_what_fails_to_import_says_how(tmp_path, monkeypatch):
    """As torchvision does beside a torch of another release."""
    (tmp_path / 'broken_extra.py').write_text("raise RuntimeError('operator does not exist')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError) as error:
        import_extra('broken_extra', 'x', 'Y')
    assert 'RuntimeError: operator does not exist' in str(error.value)
    assert 'torchvision' in error.value.fix
