"""Ours and the baselines under one roof: read, predict and score frame i, each stage timed."""

import statistics
import time
from dataclasses import dataclass

import torch
from baselines.mmseg_procedure import MmsegProcedure
from baselines.naive_procedure import NaiveProcedure

from segplug.ops import memory
from segplug.registry import METRICS

from .networks import TimedNetwork, build

STAGES = ('read', 'network', 'post-process', 'score', 'post-process + score', 'total')
WINDOW, STRIDE = 512, 342
WINDOWS = dict(mode='slide', crop_size=(WINDOW, WINDOW), stride=(STRIDE, STRIDE),
               window_average='probs')


class Ours:
    """The public way, as ``segplug test`` goes it: the data set's pipeline, the segmentor's
    ``test_step``, `IoUMetric`."""

    def __init__(self, model, dataset) -> None:
        self.model, self.dataset = model, dataset
        self.metric = METRICS.build(dict(type='IoUMetric'))
        self.metric.dataset_meta = dataset.metainfo

    def read(self, index: int) -> dict:
        return self.dataset[index]

    @torch.inference_mode()
    def predict(self, data: dict):
        """The sample with its prediction (1, H, W)."""
        return self.model.test_step({key: [value] for key, value in data.items()})[0]

    def score(self, sample, data: dict) -> None:
        self.metric.process({}, [sample.to_dict()])


class Baseline:
    """A baseline that takes paths, on the frames of a data set."""

    def __init__(self, procedure: MmsegProcedure | NaiveProcedure, dataset) -> None:
        self.dataset, self.procedure = dataset, procedure
        self.predict, self.score = procedure.predict, procedure.score

    def read(self, index: int):
        info = self.dataset.get_data_info(index)
        return self.procedure.read(info['img_path'], info['seg_map_path'])


@dataclass
class Side:
    """A way of testing and the network in it."""

    way: Ours | Baseline
    network: TimedNetwork


def side(kind: str, name: str, test_cfg: dict, dataset, device: str) -> Side:
    """One way of testing a network.

    Args:
        kind: 'ours', 'ours in windows', 'mmseg' or 'naive'.
        name: Of the network.
        test_cfg: Scales, flip and whatever else.
        dataset: Whose frames are tested.
        device: 'cpu' or 'cuda'.
    """
    model = build(name, device, {**test_cfg, **(WINDOWS if kind == 'ours in windows' else {})})
    network = TimedNetwork(model, device)
    if kind.startswith('ours'):
        return Side(Ours(model, dataset), network)
    mean, std = (getattr(model.data_preprocessor, x).flatten().tolist() for x in ('mean', 'std'))
    cfg = model.test_cfg
    common = dict(device=device, scales=cfg.get('scales', (1.0,)), flip=cfg.get('flip', False))
    if kind == 'naive':
        procedure = NaiveProcedure(network, mean, std, window=WINDOW, stride=STRIDE, **common)
    else:
        window = dict(window=cfg['crop_size'][0], stride=cfg['stride'][0]) \
            if cfg.get('mode') == 'slide' else {}
        procedure = MmsegProcedure(network, mean, std, **window, **common)
    return Side(Baseline(procedure, dataset), network)


def timed(one: Side, index: int, device: str) -> dict[str, float]:
    """Test frame ``index``: ms of each stage, and 'cores', CPU time over wall time."""
    cpu = time.process_time()
    marks = [_now(device)]
    data = one.way.read(index)
    marks.append(_now(device))
    pred = one.way.predict(data)
    marks.append(_now(device))
    one.way.score(pred, data)
    marks.append(_now(device))
    read, step, score = (1000 * (b - a) for a, b in zip(marks, marks[1:], strict=False))
    network = one.network.taken()
    total = read + step + score
    return {'read': read, 'network': network, 'post-process': step - network, 'score': score,
            'post-process + score': step - network + score, 'total': total,
            'cores': 1000 * (time.process_time() - cpu) / total}


def by_turns(sides: dict[str, Side], turns: int, device: str) -> dict[str, dict[str, float]]:
    """Medians over ``turns`` of `timed`; each turn tests one frame on every side.

    Ours goes once before, for whatever is compiled or allocated at first; the baselines, which
    compile nothing, do so for the cheaper schemes only through what ran before them.
    """
    found = {name: [] for name in sides}
    with memory.reused():  # as the loops of a test and a validation have it
        for name, one in sides.items():
            if name.startswith('ours'):
                timed(one, 0, device)
        for turn in range(turns):
            for name, one in sides.items():
                found[name].append(timed(one, turn % len(one.way.dataset), device))
    return {name: {key: statistics.median(one[key] for one in values) for key in values[0]}
            for name, values in found.items()}


def _now(device: str) -> float:
    if device == 'cuda':
        torch.cuda.synchronize()
    return time.perf_counter()
