"""The plugin's own test: the head is found by name and gives logits of the right shape."""

import segplug_gated  # noqa: F401  (registers the head)
import torch

from segplug.registry import MODELS


def test_logits_have_one_channel_per_class():
    head = MODELS.build(dict(type='GatedHead', in_channels=8, channels=16, num_classes=5))
    assert head([torch.rand(2, 8, 6, 7)]).shape == (2, 5, 6, 7)
