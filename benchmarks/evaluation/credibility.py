"""Whether the mmsegmentation baseline is that: its stages against those of the original.

The original was timed elsewhere, so stages are compared through two yardsticks that are nobody's
code, `cv2.calcHist` of the two label maps (computing) and decoding the PNG (reading), and through
the procedure's own stages. A yardstick, too, has its own speed on each kind of processor; hence two
references, the original on a processor without and on one with wide vectors.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from baselines.mmseg_procedure import intersect_and_union, load_image, load_label, upsampled
from common import figure, measure

CALC_HIST, DECODE, OWN = 'calcHist', 'image decoding', 'its own stages'
TOLERANCE = 0.25
XEON, EPYC = '2.5 GHz Xeon', 'EPYC, Zen 5'
_STAGES = (CALC_HIST, DECODE, 'label decoding', 'bilinear 128x256 to 1024x2048', 'softmax',
           'argmax', 'intersect_and_union', 'SS read', 'SS model and post-process', 'SS score',
           'MS read', 'MS model and post-process', 'MS score')
# mmsegmentation 1.2.2 itself, one thread, a 2048x1024 frame, an almost free network: ms, as a
# range where the figure is one. On the Xeon the frame is a real one; on the EPYC it is one of
# ours, torch is 2.13, and mmcv's compiled ops, which the procedure does not use, were left out.
PEERS = {
    XEON: dict(zip(_STAGES, ((3.2, 3.2), (61, 70), (9, 9), (179, 179), (275, 275), (532, 532),
                             (135, 135), (80, 80), (830, 830), (100, 100), (400, 460),
                             (16900, 16900), (80, 80)), strict=True)),
    EPYC: dict(zip(_STAGES, ((x, x) for x in (1.28, 34.9, 5.2, 73.4, 63.5, 266, 35.3, 48.0, 402,
                                             50.1, 199, 7341, 36.2)), strict=True))}
PEER_PEAK_MB = {XEON: 3900, EPYC: 3820}
PAIRS = [(stage, CALC_HIST) for stage in (
    'bilinear 128x256 to 1024x2048', 'softmax', 'argmax', 'intersect_and_union',
    'SS model and post-process', 'SS score', 'MS model and post-process', 'MS score')]
PAIRS += [(stage, DECODE) for stage in ('label decoding', 'SS read', 'MS read')]
PAIRS += [('SS model and post-process', 'argmax'), ('softmax', 'argmax'),
          ('MS model and post-process', 'SS model and post-process'),
          ('SS score', 'intersect_and_union')]


def stage_times(image: Path, label: Path, classes: int = 19, repeats: int = 5) -> dict[str, float]:
    """ms of the yardsticks and of the baseline's single stages on a frame."""
    truth, label_bytes = load_label(label), label.read_bytes()
    size = truth.shape
    coarse = torch.randn(1, classes, -(-size[0] // 8), -(-size[1] // 8))
    logits = upsampled(coarse, size)[0]
    pred, wide = logits.argmax(0), torch.from_numpy(truth).long()
    maps = [truth, pred.byte().numpy()]
    return measure({
        CALC_HIST: lambda: cv2.calcHist(maps, [0, 1], None, [256, 256], [0, 256, 0, 256]),
        DECODE: lambda: load_image(image),
        'label decoding': lambda: _decoded(label_bytes),
        'bilinear 128x256 to 1024x2048': lambda: upsampled(coarse, size),
        'softmax': lambda: logits.softmax(0), 'argmax': lambda: logits.argmax(0),
        'intersect_and_union': lambda: intersect_and_union(pred, wide, classes)},
        'cpu', repeats=repeats)


def rows(times: dict[str, float], peak_mb: float | None) -> list[dict]:
    """One row for each pair of stage and yardstick.

    Args:
        times: ms by the names of the stages.
        peak_mb: Of the whole process at 12 augmentations, if measured.

    Returns:
        Rows that also hold, for each reference, its ratio (least, most) and whether ours is
        ``within`` 25 % of it.
    """
    found = []
    for stage, unit in PAIRS:
        peers = {where: sorted(a / b for a, b in zip(peer[stage], peer[unit], strict=True))
                 for where, peer in PEERS.items()}
        found.append(_row(f'{stage} / {unit}', times[stage] / times[unit], 'x', peers))
    if peak_mb is not None:
        peers = {where: [peak, peak] for where, peak in PEER_PEAK_MB.items()}
        found.append(_row('peak memory, 12 augmentations', peak_mb, 'MB', peers))
    return found


def report(found: list[dict]) -> str:
    """The rows as text; * marks what is further than 25 % from the original."""
    lines = ['', 'Is the baseline credible? Stage / yardstick, of the baseline in this run and of',
             'mmsegmentation itself, one 2048x1024 frame, on two processors; * where the two are',
             'more than 25 % apart. Smaller frames fit into caches and do not compare.',
             f'  {"":<58} {"baseline":>10}' + ''.join(f'{where:>16}' for where in PEERS)]
    for one in found:
        cells = ''.join(f'{_span(one["peers"][where]) + (" " if one["within"][where] else "*"):>16}'
                        for where in PEERS)
        lines.append(f'  {one["case"].removeprefix("credible: "):<58} {one["ours"]:>10.2f}{cells}')
    counts = (f'{sum(one["within"][where] for one in found)} of {len(found)} ({where})'
              for where in PEERS)
    return '\n'.join([*lines, f'  within 25 %: {", ".join(counts)}'])


def _row(case: str, value: float, unit: str, peers: dict[str, list[float]]) -> dict:
    within = {where: low * (1 - TOLERANCE) <= value <= high * (1 + TOLERANCE)
              for where, (low, high) in peers.items()}
    return figure(f'credible: {case}', value, unit, peers=peers, within=within)


def _span(ends: list[float]) -> str:
    low, high = (f'{end:.2f}' for end in ends)
    return low if low == high else f'{low}-{high}'


def _decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
