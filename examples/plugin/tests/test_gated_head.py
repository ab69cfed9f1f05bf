"""The plugin's own tests: its head gives logits of the right shape, and keeps what heads keep."""

import segplug_gated  # noqa: F401  (registers the head)
import torch

from segplug.contract import check_package, is_kept, table
from segplug.registry import MODELS


def test_logits_have_one_channel_per_class():
    head = MODELS.build(dict(type='GatedHead', in_channels=8, channels=16, num_classes=5))
    assert head([torch.rand(2, 8, 6, 7)]).shape == (2, 5, 6, 7)


def test_it_keeps_its_contract():
    results = check_package('segplug_gated')
    assert is_kept(results), table(results)
