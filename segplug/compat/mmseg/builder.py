"""``mmseg.models.builder``: the names by which models were built before there was one registry."""

import warnings

from torch import nn

from ...errors import ConfigError
from ...registry import MODELS

BACKBONES = NECKS = HEADS = LOSSES = SEGMENTORS = MODELS


def build_backbone(cfg: dict) -> nn.Module:
    """Build a backbone."""
    return MODELS.build(cfg)


def build_neck(cfg: dict) -> nn.Module:
    """Build a neck."""
    return MODELS.build(cfg)


def build_head(cfg: dict) -> nn.Module:
    """Build a decode head."""
    return MODELS.build(cfg)


def build_loss(cfg: dict) -> nn.Module:
    """Build a loss."""
    return MODELS.build(cfg)


def build_segmentor(cfg: dict, train_cfg: dict | None = None,
                    test_cfg: dict | None = None) -> nn.Module:
    """Build a segmentor; ``train_cfg`` and ``test_cfg`` as in ``cfg``, in which they belong.

    Raises:
        ConfigError: If one of them is given twice.
    """
    given = {key: value for key, value in (('train_cfg', train_cfg), ('test_cfg', test_cfg))
             if value is not None}
    if given:
        warnings.warn('train_cfg and test_cfg belong into the config of the model', UserWarning,
                      stacklevel=2)
    for key in given:
        if cfg.get(key) is not None:
            raise ConfigError(f'{key} is given twice.', culprit=key,
                              fix='leave it in the config of the model only')
    return MODELS.build({**cfg, **given})
