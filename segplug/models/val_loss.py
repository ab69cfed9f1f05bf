"""The loss of one image of a validation.

An image that is tested whole is taken from the very forward pass that labels it. One that is
tested in windows is cut into windows laid side by side, as the network may not take more at once,
and has the mean of their losses. The label keeps its own size: a test pipeline resizes the image,
not the label. Pixels that do not count are left to the losses; parts that hold no others are
left out, and an image of such parts has no loss.
Letters: K classes, H W pixels; "valid" is the image as it enters the network, "padded" that and
the padding to its right and below.
"""

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from mmengine.structures import PixelData
from torch import Tensor, nn

from ..ops.geometry import scaled_size
from ..ops.masks import valid_mask
from ..ops.resize import resize
from ..ops.windows import Span, windows
from ..structures import SegDataSample
from .tta_cfg import TestCfg


class Tape:
    """Keeps what the one forward pass of an image went through.

    Attributes:
        inputs: (1, C, H, W) float, normalised and padded.
        levels: What the heads see, or None where only the logits are known.
        logits: (1, K, h, w), the decode head's.
    """

    inputs: Tensor | None = None
    levels = None
    logits: Tensor | None = None


def one_pass(cfg: TestCfg) -> bool:
    """Whether a test under ``cfg`` takes an image through the network once, and whole."""
    return cfg.mode == 'whole' and cfg.num_augs == 1


def image_losses(model: nn.Module, img: Tensor, sample: SegDataSample, tape: Tape | None,
                 losses: Callable[[Tensor, SegDataSample, Tape], dict]) -> dict[str, float]:
    """Each loss of each head, and their sum as 'loss'; empty if no pixel is labelled.

    Args:
        model: An `EncoderDecoder`, in eval mode.
        img: (C, H, W) as packed.
        sample: With ``gt_sem_seg``, on the device.
        tape: Of the forward pass that tested the image, if there was a single one.
        losses: (1, C, H, W), a sample with a label and the tape -> the losses of a part.
    """
    cfg, ignore_index = model.tta_cfg, model.main_head.ignore_index
    tape = tape or Tape()
    inputs = _inputs(model, img) if tape.inputs is None else tape.inputs
    valid = _size(tuple(img.shape[-2:]), cfg)
    parts = []
    for rows, cols, label in labelled_parts(sample.gt_sem_seg.data.to(inputs.device), valid,
                                            tuple(inputs.shape[-2:]), cfg, ignore_index):
        part = inputs[..., slice(*rows), slice(*cols)]
        known = SegDataSample(metainfo=sample.metainfo, gt_sem_seg=PixelData(data=label))
        parts.append(scalars(losses(part, known, tape)))
    return {name: sum(part[name] for part in parts) / len(parts)
            for name in (parts[0] if parts else ())}


def labelled_parts(label: Tensor, valid: tuple[int, int], padded: tuple[int, int], cfg: TestCfg,
                   ignore_index: int | None) -> Iterator[tuple[Span, Span, Tensor]]:
    """The parts of an image in which any pixel counts.

    Args:
        label: (1, H, W) integer, over the valid part, at whatever size.
        valid: (H, W) of the image in the network's input.
        padded: (H, W) of the network's input.
        cfg: Of its windows, the size; they stand side by side, the last shifted back inside.
        ignore_index: What the label says of the padding.

    Yields:
        (rows, columns, label): spans of the network's input, and (1, h, w) of the label there.
    """
    size = tuple(label.shape[-2:])
    full = tuple(round(p * s / v) for p, s, v in zip(padded, size, valid, strict=True))
    if full != size:
        label = F.pad(label, (0, full[1] - size[1], 0, full[0] - size[0]),
                      value=255 if ignore_index is None else ignore_index)
    spans = ([((0, padded[0]), (0, padded[1]))] if cfg.mode == 'whole'
             else windows(padded, cfg.crop_size, cfg.crop_size))
    for rows, cols in spans:
        (top, bottom), (left, right) = (
            tuple(round(edge * full[i] / padded[i]) for edge in span)
            for i, span in enumerate((rows, cols)))
        part = label[:, top:bottom, left:right]
        if bool(valid_mask(part, ignore_index).any()):
            yield rows, cols, part


def scalars(losses: dict) -> dict[str, float]:
    """The losses among what a segmentor's ``loss`` gives, and their sum as 'loss'.

    As in training, a name that holds 'loss' counts, and a list is the sum of its means.
    """
    found = {name: sum(float(v.double().mean()) for v in
                       ([value] if isinstance(value, Tensor) else value))
             for name, value in losses.items() if 'loss' in name}
    return {'loss': sum(found.values()), **found}


def metas(x: Tensor) -> list[dict]:
    """What a head is told of each image of (n, C, H, W): no part of it is padding."""
    size = tuple(x.shape[2:])
    return [dict(ori_shape=size, img_shape=size, pad_shape=size) for _ in range(len(x))]


def _size(size: tuple[int, int], cfg: TestCfg) -> tuple[int, int]:
    """(H, W) at which an image of ``size`` is tested; at scale 1.0 where there are several."""
    factor = cfg.scales[0] if len(cfg.scales) == 1 else 1.0
    return scaled_size(size, factor if cfg.base_size is None
                       else factor * cfg.base_size / max(size))


def _inputs(model: nn.Module, img: Tensor) -> Tensor:
    """(C, H, W) as packed -> (1, C, H', W') as it enters the network."""
    img = model.data_preprocessor.cast_data(img)
    prepare = getattr(model.data_preprocessor, 'prepare', None)
    if prepare is None:
        return model.data_preprocessor(dict(inputs=[img]))['inputs']
    return prepare(resize(img[None].float(), size=_size(tuple(img.shape[-2:]), model.tta_cfg),
                          mode='bilinear', align_corners=False))[0]


def head_losses(model: nn.Module, inputs: Tensor, sample: SegDataSample, tape: Tape,
                heads: dict[str, nn.Module]) -> dict[str, Tensor]:
    """The losses of (1, C, H, W), from what the tape knows of it where that will do.

    Args:
        heads: Each head by the prefix of its losses.
    """
    levels, found = tape.levels, {}
    for prefix, head in heads.items():
        by_logits = getattr(head, 'loss_is_of_logits', False)
        logits = tape.logits if by_logits and head is model.main_head else None
        if logits is None and levels is None:
            levels = model.extract_feat(inputs)
        if not by_logits:
            losses = head.loss(levels, [sample], model.train_cfg)
        else:
            if logits is None:
                logits = head.predict(levels, metas(inputs), model.test_cfg)
            losses = head.loss_by_feat(logits, [sample])
        found |= {f'{prefix}.{name}': value for name, value in losses.items()}
    return found
