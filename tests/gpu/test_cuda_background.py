"""Checkpoints of tensors on a GPU, written in a thread: the bytes of the moment of the save."""

import pytest
import torch

from segplug.engine.background import BackgroundWriter
from segplug.engine.checkpoint import save_checkpoint, to_plain

pytestmark = pytest.mark.gpu


def test_the_same_bytes_whatever_changes_afterwards(tmp_path):
    writer = BackgroundWriter()
    steady, buffer = torch.randn(2000, 2000, device='cuda'), torch.randn(10, device='cuda')
    for turn in range(3):
        checkpoint = dict(a=steady, b=buffer, c=steady.t()[:5], step=torch.tensor(turn))
        save_checkpoint(to_plain(checkpoint), tmp_path / 'plain.pth')
        writer.save(checkpoint, tmp_path / 'thread.pth', changing=[buffer])
        buffer.add_(1)
        writer.copied()
        steady.mul_(2)
        writer.finish()
        assert (tmp_path / 'thread.pth').read_bytes() == (tmp_path / 'plain.pth').read_bytes()
    writer.close()
