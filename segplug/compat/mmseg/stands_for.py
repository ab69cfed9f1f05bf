"""Classes that differ from one of segplug's in their arguments only."""

from abc import ABCMeta


class StandsFor(ABCMeta):
    """The class of a subclass that takes instances of its first base for its own.

    ``isinstance(block, BasicBlock)`` holds for a block that a backbone of segplug built, though
    the BasicBlock that third-party code imported takes more arguments than that block's class.
    """

    def __instancecheck__(cls, instance) -> bool:
        own = type(cls) is StandsFor and not isinstance(cls.__base__, StandsFor)
        return super().__instancecheck__(instance) or (own and isinstance(instance, cls.__base__))
