"""Hooks that differ from mmengine's."""

from .checkpoint_hook import CheckpointHook

__all__ = ['CheckpointHook']
