"""mmengine's Runner on any device, with data-only checkpoints and exact sampling.

Only what must differ is overridden; configs, hooks and loops are mmengine's.
"""

import os
from collections.abc import Generator
from pathlib import Path

import torch
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner as _UpstreamRunner
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from ..errors import CheckpointError, ConfigError
from ..registry import OPTIMIZERS, RUNNERS, made_of_settings, resolve
from ..startup import awake
from . import accumulation, distributed, state
from . import checkpoint as checkpoints
from .background import BackgroundWriter
from .checkpoint_files import holds_run, newest_good
from .class_names import tell_other_classes
from .dataloading import build_dataloader
from .ending import explained_end
from .foreign_state import restoring
from .loading import TEST_FLOOR, TRAIN_FLOOR, LoadCfg, load_state_dict
from .log import told_once
from .rank_order import keep_rank_order
from .restarts import left_a_checkpoint
from .resuming import restore_run
from .skipping import KEY as SKIP_KEY
from .speed import Speed, speed_up
from .stopping import request
from .sync_bn import convert_sync_batchnorm, wants_every
from .whole_file import whole_file

# Hooks of every run, by their names in ``default_hooks``.
_OURS = dict(val_loss=dict(type='ValLossHook'), finite_loss=dict(type='FiniteLossHook'),
             heartbeat=dict(type='HeartbeatHook'), stop=dict(type='StopHook'),
             tracking=dict(type='TrackingHook'))

_timestamps: set[str] = set()


def _unique(timestamp: str) -> str:
    """mmengine names a run's logger and scope by the second; two runs in one second would share
    them, so the later one is numbered."""
    name, number = timestamp, 1
    while name in _timestamps:
        number += 1
        name = f'{timestamp}_{number}'
    _timestamps.add(name)
    return name


@RUNNERS.register_module()
class Runner(_UpstreamRunner):
    """Built from a config by ``Runner.from_cfg(cfg)``; then ``train()``, ``val()``, ``test()``.

    Config keys read beyond mmengine's: ``sync_bn`` (True converts every BatchNorm), ``speed`` (the
    fields of `speed.Speed`, for tests and validations), and in ``env_cfg``: ``num_threads``,
    ``test_num_threads``, ``dist_cfg.backend`` (None fits the device), and in seconds
    ``dist_cfg.timeout`` (a rank that hangs) and ``dist_cfg.silence`` (one that is dead).
    """

    checkpoint_writer: BackgroundWriter | None = None
    # Those of all ranks, while none changes: then rank 0 can save without the others.
    held_gradients: list | None = None

    # --- the process -----------------------------------------------------------------------

    def setup_env(self, env_cfg: dict) -> None:
        """Join the job, share out the cores, then do what mmengine does."""
        dist_cfg = dict(env_cfg.get('dist_cfg') or {})
        unknown = set(dist_cfg) - {'backend', 'timeout', 'port', 'silence'}
        if unknown:
            raise ConfigError(f'env_cfg.dist_cfg has no key {sorted(unknown)[0]!r}.',
                              expected='backend, timeout, port, silence',
                              culprit=sorted(unknown)[0])
        place = distributed.init(self._launcher, **dist_cfg, identity=state.identity(self.cfg))
        self._local_rank = place.local_rank
        num_threads = env_cfg.get('num_threads')
        if num_threads is not None or self.distributed:
            count = distributed.training_threads(num_threads, place.local_world_size)
            torch.set_num_threads(count)
            # mmengine warns, and takes one, where these are not set.
            os.environ.setdefault('OMP_NUM_THREADS', str(count))
            os.environ.setdefault('MKL_NUM_THREADS', str(count))
        self.test_num_threads = int(env_cfg.get('test_num_threads', 1))
        super().setup_env(env_cfg)
        self._timestamp = _unique(self._timestamp)

    def build_logger(self, *args, **kwargs):
        """mmengine's; a log that cannot be written says so once."""
        logger = super().build_logger(*args, **kwargs)
        told_once(logger)
        return logger

    def build_log_processor(self, log_processor):
        """mmengine's, with ours as the default."""
        return super().build_log_processor({'type': 'LogProcessor', **log_processor}
                                           if isinstance(log_processor, dict) else log_processor)

    def register_default_hooks(self, hooks: dict | None = None) -> None:
        """mmengine's, and `_OURS`, of which ``val_loss=None`` and the like leave one out.

        A training that skips bad samples says which.
        """
        hooks = {**_OURS, **(hooks or {})}
        if isinstance(self._train_dataloader, dict) and self._train_dataloader.get(SKIP_KEY):
            hooks = {'skipped_samples': dict(type='SkippedSamplesHook'), **hooks}
        super().register_default_hooks({
            name: hook for name, hook in hooks.items() if hook is not None or name not in _OURS})

    # --- the model -------------------------------------------------------------------------

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Move to the device, choose the SyncBN that works there, set ``speed``, and wrap if
        distributed."""
        if is_model_wrapper(model):
            return super().wrap_model(model_wrapper_cfg, model)
        device = get_device()
        model = convert_sync_batchnorm(model.to(device), device, self.distributed,
                                       wants_every(self.cfg.get('sync_bn')))
        speed_up(model, Speed.from_dict(self.cfg.get('speed')))
        if not self.distributed:
            return model
        wrapped = self._wrapped(model_wrapper_cfg, model, device)
        keep_rank_order(wrapped, device)
        return wrapped

    def _wrapped(self, model_wrapper_cfg: dict | None, model: nn.Module,
                 device: str) -> nn.Module:
        device_ids = [self._local_rank] if device == 'cuda' else None
        if model_wrapper_cfg is None:
            return MMDistributedDataParallel(
                module=model, device_ids=device_ids, **distributed.keep_buffers_apart(),
                find_unused_parameters=self.cfg.get('find_unused_parameters', False))
        wrapper_cfg = {'type': 'MMDistributedDataParallel', **model_wrapper_cfg}
        default_args = dict(module=model)
        if issubclass(MODEL_WRAPPERS.get(wrapper_cfg['type']), DistributedDataParallel):
            default_args['device_ids'] = device_ids
        return MODEL_WRAPPERS.build(wrapper_cfg, default_args=default_args)

    def build_optim_wrapper(self, optim_wrapper):
        """mmengine's, which fails on an unknown optimizer without saying its name."""
        if isinstance(optim_wrapper, dict) and isinstance(optim_wrapper.get('optimizer'), dict):
            kind = optim_wrapper['optimizer'].get('type')
            if isinstance(kind, str):
                resolve(kind, OPTIMIZERS)
        with made_of_settings('The optimizer wrapper'):
            return super().build_optim_wrapper(optim_wrapper)

    def scale_lr(self, optim_wrapper, auto_scale_lr: dict | None = None) -> None:
        """mmengine's, also for a schedule that states its own rate (``eta_max`` of OneCycleLR)."""
        first = (next(iter(optim_wrapper.values())) if isinstance(optim_wrapper, OptimWrapperDict)
                 else optim_wrapper)
        group = next(iter(getattr(first, 'param_groups', [])), None)
        before = group and group['lr']
        super().scale_lr(optim_wrapper, auto_scale_lr)
        if not before or group['lr'] == before or not isinstance(self.param_schedulers, list):
            return
        ratio = group['lr'] / before
        self.param_schedulers = [
            {**one, 'eta_max': one['eta_max'] * ratio}
            if isinstance(one, dict) and 'eta_max' in one else one
            for one in self.param_schedulers]

    def _unwrapped(self) -> nn.Module:
        return self.model.module if is_model_wrapper(self.model) else self.model

    # --- loops and data --------------------------------------------------------------------

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict, seed: int | None = None,
                         diff_rank_seed: bool = False) -> DataLoader:
        """A DataLoader; that of the training draws samples from (seed, epoch, index)."""
        return build_dataloader(dataloader, seed, diff_rank_seed)

    def build_train_loop(self, loop):
        """mmengine's, with our loops behind ``by_epoch``."""
        if isinstance(loop, dict):
            loop = dict(loop)
            if 'by_epoch' in loop and 'type' not in loop:
                by_epoch = loop.pop('by_epoch')
                loop['type'] = 'EpochBasedTrainLoop' if by_epoch else 'IterBasedTrainLoop'
        if isinstance(self._train_dataloader, dict):
            # A mark, not an argument: third-party loops build their loader through us as well.
            self._train_dataloader = {**self._train_dataloader, 'sample_stream': True}
        return super().build_train_loop(loop)

    def build_val_loop(self, loop):
        """mmengine's, with our loop as the default."""
        return super().build_val_loop({'type': 'ValLoop', **loop}
                                      if isinstance(loop, dict) else loop)

    def build_test_loop(self, loop):
        """mmengine's, with our loop as the default."""
        return super().build_test_loop({'type': 'TestLoop', **loop}
                                       if isinstance(loop, dict) else loop)

    def train(self) -> nn.Module:
        """mmengine's; no worker is left afterwards, however it ended, and no write undone."""
        try:
            with explained_end():
                return super().train()
        finally:
            self._stop_workers()
            self._end_writing()
            request.restore()

    def val(self) -> dict:
        """mmengine's; no worker is left afterwards, however it ended."""
        try:
            with explained_end():
                return super().val()
        finally:
            self._stop_workers()

    def test(self) -> dict:
        """mmengine's; no worker is left afterwards, however it ended."""
        try:
            with explained_end():
                return super().test()
        finally:
            self._stop_workers()

    def _stop_workers(self) -> None:
        # A loader keeps persistent workers in this attribute. Left to the garbage collector,
        # which takes their queues first, each costs five seconds.
        for loop in (self._train_loop, self._val_loop, self._test_loop):
            batches = getattr(loop, 'dataloader_iterator', None)
            if isinstance(batches, Generator):
                batches.close()
            loader = getattr(loop, 'dataloader', None)
            if isinstance(loader, DataLoader) and loader._iterator is not None:
                loader._iterator._shutdown_workers()
                loader._iterator = None

    # --- checkpoints -----------------------------------------------------------------------

    def save_checkpoint(self, out_dir: str, filename: str, file_client_args: dict | None = None,
                        save_optimizer: bool = True, save_param_scheduler: bool = True,
                        meta: dict | None = None, by_epoch: bool = True,
                        backend_args: dict | None = None) -> None:
        """Write the run's state as plain data, whole or not at all. Arguments as mmengine's.

        Every rank calls this at the same time: between the batches of one step (gradient
        accumulation) each has gradients of its own, which rank 0 writes with the rest. Except
        where `hold_gradients` was called before.
        """
        if file_client_args is not None or backend_args is not None:
            raise ConfigError('Checkpoints are written to local folders only.',
                              got='file_client_args or backend_args', culprit='backend_args',
                              fix='write to a mounted folder')
        gradients = None
        if save_optimizer and accumulation.may_hold(self.optim_wrapper):
            gradients = self.held_gradients
            if gradients is None:
                gradients = accumulation.gather(self._unwrapped())
        if not is_main_process():
            return
        checkpoint = {
            'meta': state.run_meta(self, meta, by_epoch),
            'state_dict': self._unwrapped().state_dict(),
            'message_hub': state.hub_state(self.message_hub),
        }
        if save_optimizer:
            checkpoint['optimizer'] = self.optim_wrapper.state_dict()
            if batches := accumulation.counts(self.optim_wrapper):
                checkpoint['batches'] = batches
        if gradients and any(gradients):
            checkpoint['gradients'] = gradients
        if save_param_scheduler and self.param_schedulers is not None:
            checkpoint['param_schedulers'] = state.schedulers_state(self.param_schedulers)
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        path = Path(out_dir) / filename
        if self.checkpoint_writer is None:
            checkpoints.save_checkpoint(checkpoints.to_plain(checkpoint), path)
        else:
            self.checkpoint_writer.save(checkpoint, path, changing=self._unwrapped().buffers())

    def hold_gradients(self) -> None:
        """Gather what a checkpoint needs of other ranks; all call this, before a validation."""
        if self.world_size > 1 and accumulation.may_hold(self.optim_wrapper):
            self.held_gradients = accumulation.gather(self._unwrapped())

    def write_in_background(self) -> None:
        """From now on checkpoints are written in a thread, as `CheckpointHook` asks for."""
        self.checkpoint_writer = BackgroundWriter()
        wrapper = self.optim_wrapper
        for one in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]:
            one.optimizer.register_step_pre_hook(self.checkpoint_writer.copied)

    def call_hook(self, fn_name: str, **kwargs) -> None:
        """mmengine's; what hooks change after an iteration (EMA) is copied before."""
        if fn_name == 'before_run':
            awake()
        if fn_name == 'after_train_iter' and self.checkpoint_writer is not None:
            self.checkpoint_writer.copied()
        super().call_hook(fn_name, **kwargs)

    def _end_writing(self) -> None:
        writer, self.checkpoint_writer = self.checkpoint_writer, None
        if writer is None:
            return
        try:
            writer.finish()
        finally:
            writer.close()

    def load_checkpoint(self, filename: str, map_location='cpu', strict: bool = False,
                        revise_keys: list | None = None) -> dict:
        """Load weights as ``load_cfg`` says; a test stops at those of another model.

        Args:
            filename: Path, address or published name.
            map_location: As in torch.load.
            strict: Whether every name must match, both ways.
            revise_keys: (regular expression, replacement) for the names.
        """
        cfg = LoadCfg.from_dict(self.cfg.get('load_cfg')).also(strict, revise_keys)
        testing = self._train_loop is None or isinstance(self._train_loop, dict)
        return self._load(filename, map_location, TEST_FLOOR if testing else TRAIN_FLOOR, cfg,
                          same_classes=testing)

    def _load(self, filename: str, map_location, floor: float, cfg: LoadCfg,
              same_classes: bool = False) -> dict:
        checkpoint = checkpoints.load_checkpoint(filename, map_location)
        coverage = load_state_dict(
            self._unwrapped(), checkpoint, filename, floor, same_classes, cfg,
            lambda found: self.call_hook('after_load_checkpoint', checkpoint=found))
        self.logger.log(coverage.log_level, f'Loaded {coverage}')
        if same_classes:
            tell_other_classes(checkpoint, filename, (self._val_loop, self._test_loop))
        self._has_loaded = True
        return checkpoint

    def load_or_resume(self) -> None:
        """Resume from the newest checkpoint or a named one, or load weights, as configured.

        ``resume=True`` goes on from ``load_from`` if that is set, as mmengine's; 'auto' from the
        newest checkpoint of the work directory, and starts with ``load_from`` without one.
        """
        if not self._has_loaded:
            self._load_or_resume()
        if is_main_process():
            name = Path(self.cfg.filename or f'{self.timestamp}.py').name
            # A test changes what it was told (--aug-test, --out): the training's stays.
            folder = Path(self.work_dir if self._is_training() else self.log_dir)
            with whole_file(folder / name, 'wb') as file:
                file.write(self.cfg.dump().encode())

    def _is_training(self) -> bool:
        return self._train_loop is not None and not isinstance(self._train_loop, dict)

    def _load_or_resume(self) -> None:
        if self._is_training() and left_a_checkpoint(self.work_dir):
            self.logger.info('The job was started anew: it goes on from its newest checkpoint.')
            self._resume = 'auto'
        if self._resume:
            named = self._load_from if self._resume != 'auto' else None
            source = named or newest_good(self.work_dir, self.logger)
            if source is not None:
                self.resume(str(source))
                return
            self.logger.info(f'Nothing to resume in {self.work_dir}: training starts anew.')
            self._resume = False  # hooks take from ``load_from`` what they would without it
        if self._load_from is not None:
            self.load_checkpoint(self._load_from)

    def dump_config(self) -> None:
        """Nothing when the runner is made; `load_or_resume` writes the config to the work
        directory, and that of a test to its log's folder there, so that a run that its data or
        checkpoint stops leaves an earlier one's."""

    def resume(self, filename: str, resume_optimizer: bool = True,
               resume_param_scheduler: bool = True, map_location='default') -> None:
        """Take a run up where ``filename`` left it. Nothing in the file is evaluated.

        The file is read to the CPU unless ``map_location`` says otherwise: model and optimizer
        copy to where they live, and Adam's step counts, which belong on the CPU, stay there.
        """
        checkpoint = self._load(filename, 'cpu' if map_location == 'default' else map_location,
                                1.0, LoadCfg())
        if not holds_run(checkpoint):
            raise CheckpointError(f'{filename} holds weights but not the state of a run.',
                                  fix='use load_from without --resume to start from its weights',
                                  culprit=str(filename))
        with restoring(filename):
            restore_run(self, filename, checkpoint, resume_optimizer, resume_param_scheduler)
        self.logger.info(f'resumed epoch: {self.epoch}, iter: {self.iter}')
