"""A network of one convolution and a data set of noise, trained by the Runner in a second.

Run as a script it is one rank of a distributed job: ``engine_toy.py WORK_DIR [key=value ...]``.
"""

import hashlib
import sys

import numpy as np
import torch
from mmengine.config import Config, DictAction
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch import nn

import segplug.engine  # noqa: F401
from segplug.registry import DATASETS, METRICS, MODELS


@DATASETS.register_module()
class ToyData(torch.utils.data.Dataset):
    """Ten points of noise, another noise in each epoch."""

    metainfo = dict(classes=('a', 'b'), palette=[[0, 0, 0], [255, 255, 255]])
    reads = []

    def __init__(self, length: int = 10) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        ToyData.reads.append(index)
        x = torch.full((3, 4, 4), index / 10) + 0.1 * torch.from_numpy(
            np.random.rand(3, 4, 4).astype(np.float32))
        return dict(inputs=x, data_samples=torch.tensor([float(index % 2)]))


@MODELS.register_module()
class ToyNet(BaseModel):
    """3x3 convolution, batch norm, dropout, mean."""

    def __init__(self, dropout: float = 0.1, norm: str = 'SyncBatchNorm') -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = getattr(nn, norm)(4)
        self.dropout = nn.Dropout(dropout)
        self.decode_head = nn.Conv2d(4, 1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        x = self.dropout(self.norm(self.backbone(torch.stack(list(inputs)))).relu())
        x = self.decode_head(x).mean((2, 3))
        if mode == 'loss':
            return dict(loss_toy=(x - torch.stack(list(data_samples))).square().mean())
        return list(x)


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """The mean prediction."""

    def process(self, data_batch, data_samples) -> None:
        self.results += [float(x) for x in data_samples]

    def compute_metrics(self, results: list) -> dict:
        return dict(mean=float(np.mean(results)), count=len(results),
                    threads=torch.get_num_threads())


def toy_cfg(work_dir, **options) -> Config:
    """Eight iterations of batch 4, a checkpoint every two."""
    loader = dict(batch_size=4, num_workers=0, dataset=dict(type='ToyData'))
    cfg = Config(dict(
        model=dict(type='ToyNet'), work_dir=str(work_dir), default_scope='segplug',
        train_dataloader=dict(**loader, sampler=dict(type='InfiniteSampler')),
        val_dataloader=dict(**loader, sampler=dict(type='DefaultSampler', shuffle=False)),
        test_dataloader=dict(**loader, sampler=dict(type='DefaultSampler', shuffle=False)),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=8, val_interval=100),
        val_cfg=dict(), test_cfg=dict(),
        val_evaluator=dict(type='ToyMetric'), test_evaluator=dict(type='ToyMetric'),
        optim_wrapper=dict(type='OptimWrapper',
                           optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=[dict(type='PolyLR', by_epoch=False, power=0.9, end=8, eta_min=0)],
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2),
                           logger=dict(type='LoggerHook', interval=1)),
        log_processor=dict(type='LogProcessor', by_epoch=False),
        env_cfg=dict(dist_cfg=dict(backend=None)), randomness=dict(seed=3),
        experiment_name=str(work_dir).replace('/', '_'), log_level='INFO'))
    if 'train_cfg' in options:
        cfg.train_cfg = options.pop('train_cfg')
    cfg.merge_from_dict(options)
    return cfg


def fingerprint(module: nn.Module) -> str:
    """SHA-256 over names and bytes of every tensor."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def main(argv: list[str]) -> None:
    options = {k: DictAction._parse_iterable(v) for k, v in (a.split('=', 1) for a in argv[1:])}
    from segplug.engine.runner import Runner
    runner = Runner.from_cfg(toy_cfg(argv[0], launcher='pytorch', **options))
    runner.train()


if __name__ == '__main__':
    main(sys.argv[1:])
