"""What an exception that ends a run is turned into, and what it keeps alive."""

import weakref

import pytest

from segplug.engine import ending
from segplug.engine.stopping import Stopped, request


@pytest.fixture(autouse=True)
def _no_request():
    yield
    request.signum = 0


class Model:
    """Holds gloo's threads, in a job."""


def torn(held: list) -> None:
    model = Model()
    held.append(weakref.ref(model))
    raise RuntimeError('[gloo] Connection closed by peer')


def test_after_a_signal_a_torn_connection_is_a_stop_and_holds_no_model(monkeypatch):
    monkeypatch.setattr(ending, 'is_communication', lambda error: True)
    request.ask(15)
    held = []
    with pytest.raises(Stopped) as caught, ending.explained_end():
        torn(held)
    assert caught.value.code == 143
    assert held[0]() is None  # though the error that came with it is still there
    assert 'gloo' in str(caught.value.__cause__)


def test_another_error_after_a_signal_stays_what_it_is():
    request.ask(15)
    with pytest.raises(ZeroDivisionError), ending.explained_end():
        1 / 0  # noqa: B018
