"""What every decode head keeps: levels become logits of K classes, and a loss that trains it.

N batch, K classes, C channels, H W pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from torch import Tensor, nn

from ..registry import MODELS
from ..structures import SegDataSample
from . import nets
from .case import Check, adds_to, hold, own_scope, seeded

CHECKS: list[Check] = []
SIZES = ((16, 24), (17, 23))
ODD = (33, 47)


@dataclass
class HeadCase(nets.NetCase):
    """A decode head.

    Attributes:
        levels: Channels and stride of each level that goes in.
        cascaded: Whether it takes the logits of a head before it.
        forward_is_logits: Whether `forward` gives them, too.
        losses: Names that are among its losses, without prefixes.
    """

    levels: tuple[tuple[int, int], ...] = ((6, 2), (8, 4), (10, 8))
    cascaded: bool = False
    forward_is_logits: bool = False
    losses: tuple[str, ...] = ()
    LEARNS = ((SIZES[0], 'plain'), *((ODD, way) for way in nets.WAYS))
    SIZE = SIZES[0]

    @property
    def num_classes(self) -> int:
        """K."""
        return self.settings.get('num_classes', 3)

    def inputs(self, size):
        """The levels, and in a cascade logits of the first one's size."""
        generator = torch.Generator().manual_seed(0)
        levels = [torch.rand(2, c, *(-(-s // stride) for s in size), generator=generator)
                  for c, stride in self.levels]
        if not self.cascaded:
            return [levels]
        generator = torch.Generator().manual_seed(1)
        return [levels, torch.randn(2, self.num_classes, *levels[0].shape[2:],
                                    generator=generator)]

    def outputs(self, net, inputs):
        return self.predicted(net, inputs, self.SIZE)

    def predicted(self, head: nn.Module, inputs, size: tuple[int, int]) -> Tensor:
        """Logits as a test has them."""
        meta = dict(ori_shape=size, img_shape=size, pad_shape=size)
        return head.predict(*inputs, [meta] * 2, {})

    def objective(self, net, inputs, size):
        return total(net.loss(*inputs, samples(label_of(2, size, self.num_classes)), {}))


def total(losses: Mapping) -> Tensor:
    """What a training adds up of a head's losses."""
    return sum((part.mean() for name, value in losses.items() if 'loss' in name
                for part in nets.tensors([value])), torch.zeros(()))


def label_of(num: int, size: tuple[int, int], num_classes: int = 3) -> Tensor:
    """(num, H, W) uint8, whose first three rows are ignored."""
    label = torch.randint(0, num_classes, (num, *size), dtype=torch.uint8,
                          generator=torch.Generator().manual_seed(2))
    label[:, :3] = 255
    return label


def samples(label: Tensor, edges: bool = True) -> list[SegDataSample]:
    """A sample per label of (N, H, W), with or without boundaries."""
    made = []
    for one in label:
        shape = tuple(one.shape)
        made.append(SegDataSample(metainfo=dict(ori_shape=shape, img_shape=shape)))
        made[-1].gt_sem_seg = PixelData(data=one[None])
        if edges:
            made[-1].gt_edge_map = PixelData(data=(one[None] == 1).to(one.dtype))
    return made


class Levels(nn.Module):
    """A backbone for a head: an image -> levels of the channels and strides that it takes."""

    def __init__(self, levels) -> None:
        super().__init__()
        self.strides = [stride for _, stride in levels]
        self.convs = nn.ModuleList(nn.Conv2d(3, channels, 1) for channels, _ in levels)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [conv(F.adaptive_avg_pool2d(x, [-(-side // stride) for side in x.shape[2:]]))
                for conv, stride in zip(self.convs, self.strides, strict=True)]


def segmentor(case: HeadCase, test_cfg: dict) -> nn.Module:
    """The head as the main one and as an auxiliary one, or as the second of a cascade."""
    head = case.settings
    heads = dict(type='EncoderDecoder', decode_head=head, auxiliary_head=[head])
    if case.cascaded:
        first = dict(type='FCNHead', in_channels=case.levels[-1][0], channels=4,
                     num_classes=case.num_classes, norm_cfg=dict(type='BN'))
        heads = dict(type='CascadeEncoderDecoder', num_stages=2, decode_head=[first, head])
    with seeded(0), own_scope():
        model = MODELS.build(dict(
            **heads, test_cfg=test_cfg, train_cfg={},
            backbone=dict(type='ReLU'),  # until its place is taken
            data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.], std=[60.])))
        model.init_weights()
        model.backbone = Levels(case.levels)
    return model if case.strict else nets.revert_sync_batchnorm(model)


@adds_to(CHECKS, 'logits')
def logits_have_a_channel_per_class(case: HeadCase) -> None:
    """Of even and odd images: (N, K, h, w), finite."""
    head = case.net().eval()
    channels = getattr(head, 'out_channels', case.num_classes)
    for size in SIZES:
        inputs = case.inputs(size)
        with torch.no_grad():
            found = [case.predicted(head, inputs, size)]
            if case.forward_is_logits:
                found.append(head(*inputs))
        for logits in found:
            hold(isinstance(logits, Tensor) and logits.ndim == 4 and
                 logits.shape[:2] == (2, channels),
                 f'{case.name} predicts no logits of (N, K, h, w) for 2 images and '
                 f'{channels} channels.', got=getattr(logits, 'shape', type(logits).__name__),
                 fix='a head with several outputs says in predict_by_feat which is the logits')
            hold(bool(logits.isfinite().all()), f'{case.name} predicts logits that are not finite '
                 f'for images of {size[0]} x {size[1]}.')


@adds_to(CHECKS, 'loss')
def loss_is_a_dict_of_tensors(case: HeadCase) -> None:
    """By name, with at least one that is minimised."""
    losses = case.net().train().loss(
        *case.inputs(SIZES[0]), samples(label_of(2, SIZES[0], case.num_classes)), {})
    hold(isinstance(losses, Mapping), f'The loss of {case.name} is no dict.',
         got=type(losses).__name__, expected="{'loss_ce': tensor, 'acc_seg': tensor}")
    for name, value in losses.items():
        parts = value if isinstance(value, (list, tuple)) else [value]
        hold(all(isinstance(part, Tensor) for part in parts),
             f'The loss of {case.name} holds what is no tensor.', culprit=name,
             got=f'{name}: {type(value).__name__}')
    hold(any('loss' in name for name in losses), f"None of {case.name}'s losses is minimised.",
         got=', '.join(losses), fix="what is to be minimised has 'loss' in its name")
    names = {name.rsplit('.', 1)[-1] for name in losses}
    hold(set(case.losses) <= names, f'{case.name} lacks a loss.', got=', '.join(sorted(names)),
         expected=', '.join(case.losses))


@adds_to(CHECKS, 'ignored batch')
def a_batch_that_is_ignored_as_a_whole_is_finite(case: HeadCase) -> None:
    """Loss and gradients are finite where no pixel counts; of segplug's own heads they are 0."""
    head = case.net().train()
    losses = head.loss(*case.inputs(SIZES[0]), samples(torch.full((2, *SIZES[0]), 255)), {})
    objective = total(losses)
    hold(all(bool(part.isfinite().all()) for part in nets.tensors(losses)),
         f'{case.name} has a loss that is not finite where every pixel is ignored.',
         got={k: v.tolist() for k, v in losses.items() if isinstance(v, Tensor)},
         fix='divide by the number of pixels that count, at least 1')
    if objective.requires_grad:
        objective.backward()
    gradients = [p.grad for p in head.parameters() if p.grad is not None]
    hold(all(bool(g.isfinite().all()) for g in gradients),
         f'{case.name} has gradients that are not finite where every pixel is ignored.')
    if case.strict:
        hold(objective.item() == 0 and all(bool((g == 0).all()) for g in gradients),
             f'{case.name} learns from a batch without a pixel that counts.')


@adds_to(CHECKS, 'in a model')
def it_trains_and_tests_in_a_model(case: HeadCase) -> None:
    """A segmentor with it has losses, and predicts classes at the size of the image."""
    model = segmentor(case, dict(mode='whole'))
    img = torch.randint(0, 256, (3, *ODD), dtype=torch.uint8,
                        generator=torch.Generator().manual_seed(3))
    batch = dict(inputs=[img, img.flip(2)], data_samples=samples(
        label_of(2, ODD, case.num_classes)))
    data = model.train().data_preprocessor(batch, training=True)
    losses = model(**data, mode='loss')
    hold(total(losses).requires_grad, f'A segmentor with {case.name} has nothing to minimise.',
         got=', '.join(losses))
    found, = model.eval().test_step(dict(
        inputs=[img], data_samples=samples(label_of(1, ODD, case.num_classes))))
    label = found.pred_sem_seg.data
    hold(tuple(label.shape) == (1, *ODD), f'A segmentor with {case.name} predicts another size '
         'than the image has.', got=tuple(label.shape), expected=(1, *ODD))
    hold(int(label.min()) >= 0 and int(label.max()) < max(case.num_classes, 2),
         f'A segmentor with {case.name} predicts what is no class.', got=int(label.max()),
         expected=f'0 to {case.num_classes - 1}')


CHECKS += nets.CHECKS
