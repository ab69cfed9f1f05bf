import inspect

import pytest

from segplug.signature import extends


class Base:
    def __init__(self, width, depth=2, *, name='x'):
        self.given = (width, depth, name)


class Child(Base):
    @extends(Base, without=('name',))
    def __init__(self, own=1, depth=3, **options):
        super().__init__(depth=depth, name='fixed', **options)
        self.own = own


def test_signature_shows_own_then_inherited_arguments():
    assert str(inspect.signature(Child)) == '(own=1, depth=3, *, width)'


def test_options_reach_the_base():
    assert Child(width=5).given == (5, 3, 'fixed')


def test_unknown_and_fixed_keys_raise():
    with pytest.raises(TypeError, match='colour'):
        Child(width=5, colour=1)
    with pytest.raises(TypeError, match='name'):
        Child(width=5, name='mine')


def test_positions_are_kept_where_the_rest_is_handed_up():
    class Longer(Base):
        @extends(Base)
        def __init__(self, own, *rest, **options):
            super().__init__(*rest, **options)

    assert str(inspect.signature(Longer)) == "(own, width, depth=2, *, name='x')"
    assert Longer(1, 5, 3).given == (5, 3, 'x')
