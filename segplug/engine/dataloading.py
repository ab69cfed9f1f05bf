"""Building a DataLoader from a config: mmengine's keys, our sampling.

The training loader draws every sample from (seed, epoch, index); no loader draws from the
main process's generators. A test on several processes shares images out by their size.
"""

import copy
import inspect
from collections.abc import Callable
from functools import partial

import torch
from mmengine.dataset import worker_init_fn as default_worker_init_fn
from mmengine.dist import get_rank, get_world_size
from mmengine.registry import DATA_SAMPLERS, DATASETS, FUNCTIONS
from mmengine.runner.runner import _SlicedDataset
from torch.utils.data import DataLoader

from ..datasets.class_ids import leaves
from ..errors import ConfigError, did_you_mean
from .loader import Loader
from .sampling import KeyedSampler, SampleStream, is_infinite, keyed, mix
from .schedule import deal_out
from .skipping import KEY, SkippingCollate, SkippingLoader, SkippingStream, limit_of
from .stopping import shield_worker

# torch's arguments and what mmengine adds to them.
_KEYS = {*inspect.signature(DataLoader).parameters, 'num_batch_per_epoch',
         'disable_subprocess_warning', KEY} - {'generator'}


def build_dataloader(dataloader: DataLoader | dict, seed: int | None = None,
                     diff_rank_seed: bool = False, stream: bool = False) -> DataLoader:
    """A DataLoader from mmengine's config keys; a DataLoader is returned as it is.

    Args:
        dataloader: dict(dataset, sampler, batch_size, num_workers, ...).
        seed: Of the order and of the workers' generators; None for a random one.
        diff_rank_seed: Whether ``seed`` is the rank's own, by its number above that of rank 0;
            the order stays shared.
        stream: Whether samples are drawn from (seed, epoch, index), as in training.
    """
    if isinstance(dataloader, DataLoader):
        return dataloader
    cfg = copy.deepcopy(dict(dataloader))
    stream = cfg.pop('sample_stream', stream)
    skips, limit = limit_of(cfg.pop(KEY, None), stream)
    for key in cfg:
        if key not in _KEYS:
            raise ConfigError(f'A dataloader has no argument {key!r}.', culprit=key,
                              expected=f'some of {", ".join(sorted(_KEYS))}',
                              fix=did_you_mean(key, _KEYS), component=cfg)
    for key in ('dataset', 'sampler'):
        if cfg.get(key) is None:
            raise ConfigError(f'A dataloader has no {key!r}.', got=f'only {sorted(cfg)}',
                              component=cfg)
    dataset = _build_dataset(cfg)
    # mmengine draws another here, which a resumed run would not know.
    shared_seed = seed - get_rank() if diff_rank_seed and seed is not None else seed
    sampler = _build_sampler(cfg, dataset, shared_seed)
    batch_sampler = _build_batch_sampler(cfg, sampler)
    if stream:
        order_seed = getattr(sampler, 'seed', None)
        dataset = SampleStream(dataset, order_seed if order_seed is not None else shared_seed or 0)
        if skips:
            dataset = _skipping(dataset, limit, sampler)
        sampler = keyed(sampler, shared_seed or 0)
        if batch_sampler is not None:
            batch_sampler = KeyedSampler(batch_sampler, shared_seed or 0)
    else:
        deal_out(sampler, dataset)
    cfg.setdefault('pin_memory', True)  # batches are copied while the network runs
    cfg['worker_init_fn'] = _worker_init_fn(cfg, seed)
    collate = _collate_fn(cfg)
    cfg['collate_fn'] = SkippingCollate(collate) if skips else collate
    # Without a generator of its own a loader draws from torch's at each start, and a
    # resumed run would not start as often as the uninterrupted one.
    generator = torch.Generator().manual_seed(mix(seed or 0, get_rank()) >> 1)
    kind = SkippingLoader if skips else Loader
    loader = kind(dataset, sampler=sampler if batch_sampler is None else None,
                  batch_sampler=batch_sampler, generator=generator, **_worker_options(cfg))
    if stream and cfg.get('drop_last') and not is_infinite(loader) and not len(loader):
        raise ConfigError('An epoch has no batch: fewer samples than one, and drop_last.',
                          culprit='drop_last', component=cfg,
                          got=f'{len(sampler)} samples on each process in batches of '
                              f'{cfg["batch_size"]}', fix='use smaller batches, or InfiniteSampler')
    return loader


def _skipping(stream: SampleStream, limit: int | None, sampler) -> SkippingStream:
    """The stream that skips; its data sets check the values of labels as they read them."""
    for leaf in leaves(getattr(stream.dataset, '_dataset', stream.dataset)):
        if hasattr(leaf, 'check_values'):
            leaf.check_values = True
    return SkippingStream(stream.dataset, stream.seed, limit, getattr(sampler, 'shuffle', True))


def _build_dataset(cfg: dict):
    dataset = cfg.pop('dataset')
    if isinstance(dataset, dict):
        dataset = DATASETS.build(dataset)
        if hasattr(dataset, 'full_init'):
            dataset.full_init()
    num_batches = cfg.pop('num_batch_per_epoch', None)
    if num_batches is not None:
        dataset = _SlicedDataset(dataset, num_batches * cfg['batch_size'] * get_world_size())
    if len(dataset) == 0:
        raise ConfigError('The data set is empty.', got=type(dataset).__name__)
    return dataset


def _build_sampler(cfg: dict, dataset, seed: int | None):
    sampler = cfg.pop('sampler')
    if isinstance(sampler, dict):
        sampler = DATA_SAMPLERS.build(sampler, default_args=dict(dataset=dataset, seed=seed))
    return sampler


def _build_batch_sampler(cfg: dict, sampler):
    batch_sampler = cfg.pop('batch_sampler', None)
    if isinstance(batch_sampler, dict):
        batch_sampler = DATA_SAMPLERS.build(
            batch_sampler, default_args=dict(sampler=sampler, batch_size=cfg.pop('batch_size')))
    return batch_sampler


def _worker_init_fn(cfg: dict, seed: int | None):
    return partial(_init_worker, then=_seeding(cfg, seed))


def _init_worker(worker_id: int, then: Callable[[int], None] | None) -> None:
    shield_worker()
    if then is not None:
        then(worker_id)


def _seeding(cfg: dict, seed: int | None):
    disable_warning = cfg.pop('disable_subprocess_warning', False)
    chosen = cfg.pop('worker_init_fn', None)
    if chosen is not None:
        arguments = dict(chosen)
        function = arguments.pop('type')
        function = FUNCTIONS.get(function) if isinstance(function, str) else function
        return partial(function, **arguments)
    if seed is None:
        return None
    return partial(default_worker_init_fn, num_workers=cfg.get('num_workers', 0),
                   rank=get_rank(), seed=seed, disable_subprocess_warning=disable_warning)


def _collate_fn(cfg: dict):
    chosen = cfg.pop('collate_fn', dict(type='pseudo_collate'))
    if callable(chosen):
        return chosen
    arguments = dict(chosen)
    function = arguments.pop('type')
    function = FUNCTIONS.get(function) if isinstance(function, str) else function
    return partial(function, **arguments)


def _worker_options(cfg: dict) -> dict:
    """Drop the options that torch refuses or warns about on this machine."""
    if not cfg.get('num_workers'):
        cfg.pop('persistent_workers', None)
        cfg.pop('prefetch_factor', None)
    if not torch.cuda.is_available():
        cfg.pop('pin_memory', None)
    return cfg
