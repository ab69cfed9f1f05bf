"""More workers than cores are told of once, and torch's own warning, an error here, never comes."""

from segplug.engine import loader


def test_too_many_workers_are_told_once(monkeypatch):
    said = []
    monkeypatch.setattr(loader, 'num_cores', lambda: 2)
    monkeypatch.setattr(loader, 'print_log', lambda text, *rest: said.append(text))
    loader._tell_once.cache_clear()
    for workers in (0, 2, 3, 3):
        loader.Loader([1, 2], num_workers=workers)
    assert [text[:44] for text in said] == ['num_workers=3 is more than the 2 cores there']
    loader._tell_once.cache_clear()
