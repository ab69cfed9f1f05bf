"""Checks of arguments that several parts of a model have; each error names the culprit."""

from ...errors import ConfigError


def refuse_set(owner: str, absent: dict) -> None:
    """Refuse arguments that stand in a signature only because published configs name them.

    Raises:
        ConfigError: For the first of ``absent`` that is not None.
    """
    for name, value in absent.items():
        if value is not None:
            raise ConfigError(f'{owner} has no {name}.', got=value, expected='None', culprit=name)


def check_several(owner: str, **settings) -> None:
    """Refuse what is no list, such as one number where there is one for each branch.

    Raises:
        ConfigError: For the first of ``settings`` that is no list or tuple.
    """
    for name, value in settings.items():
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f'{owner} takes several {name}.', got=repr(value),
                              expected='a list or tuple', culprit=name)
