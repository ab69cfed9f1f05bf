"""Transfers ahead of the network: the plain path, the walk through a batch, and CUDA's own."""

from collections import namedtuple

import pytest
import torch
from engine_toy import ToyNet
from mmengine.structures import PixelData
from torch import nn

from segplug.engine import transfer
from segplug.engine.transfer import ahead, input_device, map_tensors
from segplug.structures import SegDataSample

Pair = namedtuple('Pair', 'a b')


def sample(value: int) -> SegDataSample:
    made = SegDataSample(metainfo=dict(img_path=f'{value}.png', ori_shape=(2, 2)))
    made.gt_sem_seg = PixelData(data=torch.full((1, 2, 2), value))
    return made


def test_every_tensor_is_changed_and_nothing_passed_in():
    batch = dict(inputs=[torch.ones(1), torch.ones(2)], data_samples=[sample(1)],
                 rest=(Pair(torch.ones(1), 'b'), None, 3, 'text'))
    changed = map_tensors(batch, lambda t: t + 1)
    assert [t.tolist() for t in changed['inputs']] == [[2], [2, 2]]
    assert changed['data_samples'][0].gt_sem_seg.data.tolist() == [[[2, 2], [2, 2]]]
    assert changed['data_samples'][0].metainfo == batch['data_samples'][0].metainfo
    assert isinstance(changed['data_samples'][0].gt_sem_seg, PixelData)
    assert changed['rest'] == (Pair(torch.tensor([2.]), 'b'), None, 3, 'text')
    assert batch['data_samples'][0].gt_sem_seg.data.max() == 1
    assert [t.tolist() for t in batch['inputs']] == [[1], [1, 1]]


def test_on_the_cpu_nothing_is_read_ahead_and_nothing_copied():
    read = []

    def batches():
        for i in range(3):
            read.append(i)
            yield dict(inputs=i)

    for count, (batch, on_device) in enumerate(ahead(batches(), torch.device('cpu'))):
        assert batch is on_device
        assert read == list(range(count + 1))
    assert read == [0, 1, 2]


def test_the_device_is_that_of_the_preprocessor():
    assert input_device(nn.Conv2d(1, 1, 1)) == torch.device('cpu')
    model = ToyNet()
    assert input_device(model) == torch.device('cpu')
    model.data_preprocessor.to('meta')
    assert input_device(model) == torch.device('meta')


@pytest.mark.parametrize('number', [0, 1, 4])
def test_each_copy_starts_before_the_batch_before_is_used(number, monkeypatch):
    """The order of the CUDA path, with its three calls of CUDA replaced."""
    calls = []
    monkeypatch.setattr(torch.cuda, 'Stream', lambda device: 'stream')
    monkeypatch.setattr(transfer, '_copied', lambda batch, device, stream: calls.append(
        f'copy {batch}') or (10 * batch, 'event'))
    monkeypatch.setattr(transfer, '_handed_over', lambda batch, copy, event: (batch, copy))
    pairs = []
    for pair in ahead(iter(range(number)), torch.device('cuda')):
        calls.append(f'use {pair[0]}')
        pairs.append(pair)
    assert pairs == [(i, 10 * i) for i in range(number)]
    assert calls == {
        0: [], 1: ['copy 0', 'use 0'],
        4: ['copy 0', 'copy 1', 'use 0', 'copy 2', 'use 1', 'copy 3', 'use 2', 'use 3'],
    }[number]


@pytest.mark.gpu
@pytest.mark.parametrize('number', [0, 1, 5])
def test_on_cuda_batches_arrive_whole_and_in_order(number):
    device = torch.device('cuda', torch.cuda.current_device())
    batches = [dict(inputs=[torch.full((3, 512, 512), i, dtype=torch.uint8)],
                    data_samples=[sample(i)]) for i in range(number)]
    busy, sums = torch.ones(2048, 2048, device=device), []
    for count, (batch, on_device) in enumerate(ahead(iter(batches), device)):
        assert batch is batches[count]
        assert batch['inputs'][0].device.type == 'cpu'
        assert on_device['inputs'][0].device == device
        for _ in range(5):
            busy = busy @ busy
        sums.append((on_device['inputs'][0].double().mean(),
                     on_device['data_samples'][0].gt_sem_seg.data.double().mean()))
        del on_device
    assert [(float(a), float(b)) for a, b in sums] == [(i, i) for i in range(number)]
