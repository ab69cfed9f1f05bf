"""A third-party decode head; importing this package registers it."""

from .gated_head import GatedHead

__all__ = ['GatedHead']
