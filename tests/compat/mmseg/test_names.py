"""The table is read as it is meant."""


def test_a_table(lent):
    from segplug.compat.mmseg.names import _read
    assert _read('a: *b X\na.b: Y\n  Z\na.b.c: Y Z') == {
        'a': ['Y', 'Z', 'X'], 'a.b': ['Y', 'Z'], 'a.b.c': ['Y', 'Z']}


def test_every_name_of_a_package_has_a_home(lent):
    from segplug.compat.mmseg.names import MODULES, PACKAGES
    from segplug.compat.mmseg.resolve import SHIMS, SOURCES, _home
    for package in PACKAGES - {''}:
        for name in MODULES.get(package, ()):
            assert _home(package, name) in MODULES
    assert set(SHIMS) <= set(MODULES)
    assert all(any(m == part or m.startswith(f'{part}.') for m in MODULES) for part in SOURCES)


