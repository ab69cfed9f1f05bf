"""PointRend: a small network per point labels again the points that are hardest to tell.

Kirillov et al., https://arxiv.org/abs/1912.08193. Points are (x, y) in [0, 1].
N batch, K classes, C channels, H W pixels, P points.
"""

from collections.abc import Mapping, Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError, did_you_mean
from ...ops.resize import resize
from ...registry import MODELS
from ...structures import SegDataSample
from ..layers import extends, point_sample
from ..losses import accuracy
from .cascade_decode_head import BaseCascadeDecodeHead

# The settings of the published models.
_TRAIN = dict(num_points=2048, oversample_ratio=3, importance_sample_ratio=0.75)
_TEST = dict(subdivision_steps=2, subdivision_num_points=8196, scale_factor=2)


def uncertainty(logits: torch.Tensor) -> torch.Tensor:
    """How little the best class leads: (N, K, ...) -> (N, ...), at most 0.

    It is the second best logit less the best; of one channel, less the distance from 0.
    """
    if logits.shape[1] == 1:
        return -logits[:, 0].abs()
    best = logits.topk(2, dim=1).values
    return best[:, 1] - best[:, 0]


def training_points(logits: torch.Tensor, num_points: int, oversample_ratio: float,
                    importance_sample_ratio: float, align_corners: bool = False,
                    generator: torch.Generator | None = None) -> torch.Tensor:
    """Random points, most of them where it is hard to tell (section 3.1 of the paper).

    The edge of the image counts as its outermost pixels do; with zeros beyond, as elsewhere, all
    points there would be hard.

    Args:
        logits: (N, K, h, w) float.
        num_points: P.
        oversample_ratio: Candidates are so many times P.
        importance_sample_ratio: The share of P that are the hardest candidates; the others are
            any points.

    Returns:
        (N, P, 2).
    """
    def draw(num: int) -> torch.Tensor:
        return torch.rand(len(logits), num, 2, device=logits.device, generator=generator)

    num_hard = int(importance_sample_ratio * num_points)
    candidates = draw(int(num_points * oversample_ratio))
    # At the points, not of pixels: half way between two sure ones that differ none is sure.
    at = point_sample(logits.float(), candidates, padding_mode='border',
                      align_corners=align_corners)
    hard = uncertainty(at).topk(num_hard, dim=1).indices
    chosen = candidates.gather(1, hard.unsqueeze(2).expand(-1, -1, 2))
    return torch.cat([chosen, draw(num_points - num_hard)], dim=1)


def hardest_pixels(logits: torch.Tensor, num_points: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The pixels of (N, K, h, w) that are hardest to tell.

    Returns:
        (N, P) int64, places in h * w, with P at most ``num_points``; (N, P, 2), their centres.
    """
    height, width = logits.shape[2:]
    index = uncertainty(logits).flatten(1).topk(min(height * width, num_points), dim=1).indices
    x, y = index % width, index.div(width, rounding_mode='floor')
    return index, torch.stack([(x + 0.5) / width, (y + 0.5) / height], dim=2)


@MODELS.register_module()
class PointHead(BaseCascadeDecodeHead):
    """PointRend's head.

    The segmentor's ``train_cfg`` may hold num_points, oversample_ratio and
    importance_sample_ratio, its ``test_cfg`` subdivision_steps, subdivision_num_points and
    scale_factor; the published values are the default. In evaluation mode the loss is of the same
    points each time, and leaves the state of the random numbers alone.

    Args:
        num_fcs: Layers before the classifier.
        coarse_pred_each_layer: Whether every layer sees the logits of the head before.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv; of layers over points, so Conv1d.
        Others as for `BaseDecodeHead`; ``channels`` is the width of the layers.
    """

    test_keys = tuple(_TEST)

    @extends(BaseCascadeDecodeHead, without=('input_transform', 'init_cfg'))
    def __init__(self, num_fcs: int = 3, coarse_pred_each_layer: bool = True,
                 conv_cfg: dict | None = dict(type='Conv1d'), norm_cfg: dict | None = None,
                 act_cfg: dict | None = dict(type='ReLU', inplace=False), **options) -> None:
        super().__init__(
            input_transform='multiple_select', conv_cfg=conv_cfg, norm_cfg=norm_cfg,
            act_cfg=act_cfg, **options,
            init_cfg=dict(type='Normal', std=0.01, override=dict(name='fc_seg')))
        self.num_fcs, self.coarse_pred_each_layer = num_fcs, coarse_pred_each_layer
        coarse = self.out_channels
        width = sum(self.in_channels) + coarse
        self.fcs = nn.ModuleList()
        for _ in range(num_fcs):
            self.fcs.append(ConvModule(width, self.channels, 1, conv_cfg=conv_cfg,
                                       norm_cfg=norm_cfg, act_cfg=act_cfg))
            width = self.channels + coarse * coarse_pred_each_layer
        self.fc_seg = nn.Conv1d(width, self.out_channels, 1)
        if self.dropout_ratio > 0:
            self.dropout = nn.Dropout(self.dropout_ratio)
        del self.conv_seg

    def cls_seg(self, feat: torch.Tensor) -> torch.Tensor:
        """(N, C, P) -> logits (N, K, P)."""
        return self.fc_seg(feat if self.dropout is None else self.dropout(feat))

    def forward(self, fine_grained_point_feats: torch.Tensor,
                coarse_point_feats: torch.Tensor) -> torch.Tensor:
        """Features (N, C, P) and logits (N, K, P) of the head before -> logits (N, K, P)."""
        x = torch.cat([fine_grained_point_feats, coarse_point_feats], dim=1)
        for layer in self.fcs:
            x = layer(x)
            if self.coarse_pred_each_layer:
                x = torch.cat([x, coarse_point_feats], dim=1)
        return self.cls_seg(x)

    def _logits_at_points(self, levels: Sequence[torch.Tensor], coarse: torch.Tensor,
                          points: torch.Tensor) -> torch.Tensor:
        fine = [point_sample(x, points, align_corners=self.align_corners) for x in levels]
        return self.forward(torch.cat(fine, dim=1), point_sample(
            coarse, points, align_corners=self.align_corners))

    def loss(self, inputs: Sequence[torch.Tensor], prev_output: torch.Tensor,
             batch_data_samples: list[SegDataSample],
             train_cfg: dict | None = None) -> dict[str, torch.Tensor]:
        """Losses at random points: 'pointloss_ce', or as the loss is called, and 'acc_point'."""
        generator = None
        if not self.training:
            generator = torch.Generator(prev_output.device).manual_seed(0)
        with torch.no_grad():
            points = training_points(prev_output, **_settings(_TRAIN, train_cfg, strict=True),
                                     align_corners=self.align_corners, generator=generator)
        logits = self._logits_at_points(self._transform_inputs(inputs), prev_output, points)
        return self.loss_by_feat(logits, points, batch_data_samples)

    def loss_by_feat(self, point_logits: torch.Tensor, points: torch.Tensor,
                     batch_data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        """The losses of logits (N, K, P) at points (N, P, 2)."""
        # The border: 1.0 would else round to a pixel beyond the last, which is no class.
        label = point_sample(self._stack_batch_gt(batch_data_samples).float(), points, 'nearest',
                             'border', self.align_corners).squeeze(1).long()
        several = isinstance(self.loss_decode, nn.ModuleList)
        losses = {f'point{criterion.loss_name}': criterion(
            point_logits, label, ignore_index=self.ignore_index)
            for criterion in (self.loss_decode if several else [self.loss_decode])}
        losses['acc_point'] = accuracy(point_logits, label, self.ignore_index, self.threshold)
        return losses

    def predict(self, inputs: Sequence[torch.Tensor], prev_output: torch.Tensor,
                batch_img_metas: list[dict], test_cfg: dict | None = None) -> torch.Tensor:
        """Levels and logits (N, K, h, w) -> logits, larger by ``scale_factor`` at each step."""
        cfg = _settings(_TEST, test_cfg)
        levels, logits = self._transform_inputs(inputs), prev_output
        for _ in range(cfg['subdivision_steps']):
            logits = resize(logits, scale_factor=cfg['scale_factor'], mode='bilinear',
                            align_corners=self.align_corners)
            index, points = hardest_pixels(logits, cfg['subdivision_num_points'])
            refined = self._logits_at_points(levels, prev_output, points)
            logits = logits.flatten(2).scatter(
                2, index.unsqueeze(1).expand_as(refined), refined.to(logits)).view_as(logits)
        return self.predict_by_feat(logits, batch_img_metas)


def _settings(default: dict, cfg: Mapping | None, strict: bool = False) -> dict:
    """``default``, with what ``cfg`` sets of it; with ``strict`` it sets nothing else."""
    cfg = cfg or {}
    for key in cfg if strict else ():
        if key not in default:
            raise ConfigError(f'The train_cfg of a PointHead has no key {key!r}.',
                              expected=f'one of {", ".join(default)}', culprit=key,
                              fix=did_you_mean(key, default))
    return {key: cfg.get(key, value) for key, value in default.items()}
