"""A third-party decode head; importing this package registers it."""

from .gated_head import GatedHead

__all__ = ['GatedHead']

# How `segplug plugins check` makes it: small, so that the checks take seconds.
segplug_contract = [dict(type='GatedHead', in_channels=8, channels=8, num_classes=3)]
