"""Who tests which image: balanced, the same on every process, and each image once."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.dataset.sampler import DefaultSampler as UpstreamDefaultSampler
from mmengine.runner.runner import _SlicedDataset
from torch.utils.data import Dataset

from segplug.datasets.transforms.resize import Resize
from segplug.engine import sampling, schedule
from segplug.engine.dataloading import build_dataloader
from segplug.engine.sampling import DefaultSampler
from segplug.engine.schedule import deal_out, image_cost, resized, share_out


class Files(Dataset):
    """Square images of these sides as PNG files; 0 stands for a file that is not there."""

    def __init__(self, folder, sides, pipeline=()):
        self.files, self.pipeline = [], Compose(pipeline)
        for i, side in enumerate(sides):
            self.files.append(str(folder / f'{i}.png'))
            if side:
                cv2.imwrite(self.files[-1], np.zeros((side, side), np.uint8))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return dict(inputs=index)

    def get_data_info(self, index):
        return dict(img_path=self.files[index])


@pytest.fixture
def as_job(monkeypatch):
    """``as_job(make, n)``: what ``make()`` gives on each of n processes, which gather for real."""
    def _as_job(make, world):
        own, results = {}, []
        for collect in (True, False):  # first each process's part, then with all parts known
            for rank in range(world):
                def gather(part, rank=rank, collect=collect):
                    own[rank] = part
                    return [part] if collect else [own[r] for r in range(world)]
                for module in (sampling, schedule):
                    monkeypatch.setattr(module, 'get_dist_info', lambda rank=rank: (rank, world))
                monkeypatch.setattr(schedule, 'all_gather_object', gather)
                results.append(make())
        return results[world:]
    return _as_job


def test_longest_first_worked_by_hand():
    # 7 -> A; 6 -> B; 5 -> B (6 < 7): 11; 4 -> A (7 < 11): 11; 3 -> A (tie, the first): 14
    assert share_out([4, 7, 5, 3, 6], 2) == [[1, 0, 3], [4, 2]]
    # The example of Graham's bound: 5 5 4 4 3 3 3 on 3 processes end at 11, the best plan at 9.
    shares = share_out([5, 5, 4, 4, 3, 3, 3], 3)
    assert max(sum([5, 5, 4, 4, 3, 3, 3][i] for i in s) for s in shares) == 11


@pytest.mark.parametrize(('length', 'shares'), [(11, 3), (5, 7), (0, 2), (4, 1)])
def test_equal_costs_are_dealt_by_turns(length, shares):
    assert share_out([9] * length, shares) == [
        list(range(share, length, shares)) for share in range(shares)]


def test_ends_within_one_image_of_each_other():
    costs = np.random.default_rng(0).integers(1, 100, 200).tolist()
    shares = share_out(costs, 7)
    assert sorted(i for share in shares for i in share) == list(range(200))
    loads = [sum(costs[i] for i in share) for share in shares]
    # Nothing is added to a process that is not the least busy, so no two differ by more than the
    # last image added, which is among the smallest.
    assert max(loads) - min(loads) <= max(costs[share[-1]] for share in shares)
    for share in shares:
        assert [costs[i] for i in share] == sorted((costs[i] for i in share), reverse=True)


def test_a_test_sampler_follows_the_sizes(tmp_path, as_job):
    data = Files(tmp_path, [10, 40, 20, 30, 10])

    def make():
        return build_dataloader(dict(
            dataset=data, batch_size=2, collate_fn=dict(type='pseudo_collate'),
            sampler=dict(type=DefaultSampler, shuffle=False)))

    loaders = as_job(make, 2)
    # 1600 -> A; 900 -> B; 400 -> B: 1300; 100 (0) -> B: 1400; 100 (4) -> B: 1500
    assert [list(loader.sampler) for loader in loaders] == [[1], [3, 2, 0, 4]]
    assert [len(loader) for loader in loaders] == [1, 2]
    assert [[b['inputs'] for b in loader] for loader in loaders] == [[[1]], [[3, 2], [0, 4]]]
    assert loaders[0].sampler.costs == [200, 3200, 800, 1800, 200]  # of the file, and the network


@pytest.mark.parametrize('sides', [[10, 10, 10, 10, 10], [0, 0, 0, 0, 0]])
def test_equal_or_unknown_sizes_stay_by_turns(sides, tmp_path, as_job):
    data = Files(tmp_path, sides)

    def make():
        sampler = DefaultSampler(data, shuffle=False, round_up=False)
        deal_out(sampler, data)
        return sampler

    samplers = as_job(make, 2)
    assert [list(sampler) for sampler in samplers] == [[0, 2, 4], [1, 3]]
    assert samplers[0].costs is None


def test_an_unknown_size_counts_as_the_usual_one(tmp_path, as_job):
    data = Files(tmp_path, [10, 0, 30])

    def make():
        sampler = DefaultSampler(data, shuffle=False)
        deal_out(sampler, data)
        return sampler

    samplers = as_job(make, 3)
    assert samplers[0].costs == [200, 1000, 1800]  # (200 + 1800) / 2
    assert [list(sampler) for sampler in samplers] == [[2], [1], [0]]


def test_more_processes_than_images(tmp_path, as_job):
    data = Files(tmp_path, [10, 20, 30])

    def make():
        return build_dataloader(dict(dataset=data, batch_size=1,
                                     sampler=dict(type=DefaultSampler, shuffle=False)))

    loaders = as_job(make, 5)
    assert [list(loader.sampler) for loader in loaders] == [[2], [1], [0], [], []]
    assert [len(loader) for loader in loaders] == [1, 1, 1, 0, 0]
    assert list(loaders[4]) == []


@pytest.mark.parametrize('make', [
    lambda data: DefaultSampler(data, shuffle=True, seed=0),
    lambda data: DefaultSampler(data, shuffle=False, round_up=True),
    lambda data: UpstreamDefaultSampler(data, shuffle=False),
    lambda data: type('Mine', (DefaultSampler,), {})(data, shuffle=False)])
def test_other_samplers_are_left_alone(make, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError('headers were read')

    monkeypatch.setattr(schedule, 'image_cost', never)
    monkeypatch.setattr(schedule, 'get_dist_info', lambda: (0, 2))
    data = Files(tmp_path, [10, 20])
    sampler = make(data)
    order = list(sampler)
    deal_out(sampler, data)
    assert list(sampler) == order


def test_one_process_reads_no_header(tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, 'image_cost', None)
    data = Files(tmp_path, [10, 20, 30])
    loader = build_dataloader(dict(dataset=data, batch_size=1, collate_fn=dict(
        type='pseudo_collate'), sampler=dict(type=DefaultSampler, shuffle=False)))
    assert [b['inputs'] for b in loader] == [[0], [1], [2]]


def test_data_sets_of_another_kind_have_no_cost(tmp_path):
    for data in ([1, 2], SimpleNamespace(get_data_info=lambda i: dict(file='a')),
                 SimpleNamespace(get_data_info=lambda i: dict(img_path=None)),
                 SimpleNamespace(get_data_info=lambda i: dict(img_path=['a', 'b']))):
        assert image_cost(data, 0) is None


def test_the_cost_knows_what_the_pipeline_resizes_to(tmp_path):
    data = Files(tmp_path, [10, 40], [Resize(scale=(8, 4))])
    # the file's pixels, and 4 x 8 whatever the size
    assert [image_cost(data, i) for i in range(2)] == [100 + 32, 1600 + 32]
    assert image_cost(_SlicedDataset(data, 1), 0) == 100 + 32
    several = SimpleNamespace(datasets=[data], get_data_info=data.get_data_info)
    assert image_cost(several, 1) == 1600 + 32


@pytest.mark.parametrize(('options', 'size'), [
    (dict(scale=(2048, 512), keep_ratio=True), (300, 500)),
    (dict(scale=(100, 60), keep_ratio=True), (333, 100)), (dict(scale=50, keep_ratio=True), (9, 7)),
    (dict(scale=(100, 60)), (30, 50)), (dict(scale_factor=0.5), (31, 55)),
    (dict(scale_factor=(1.5, 2.0)), (31, 55))])
def test_sizes_after_resize_are_those_of_the_transform(options, size):
    transform = Resize(**options)
    shape = transform(dict(img=np.zeros((*size, 3), np.uint8)))['img'].shape[:2]
    assert resized(size, transform) == shape


def test_no_resize_no_change():
    assert resized((3, 5), None) == (3, 5)
