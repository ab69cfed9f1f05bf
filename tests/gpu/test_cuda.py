"""What only a GPU can show: training, mixed precision, SyncBN, the test path, the launcher.

Run by ``benchmarks/run_accelerator.sh``; skipped with a reason where torch sees no CUDA device.
The torch of such a machine need not be the one whose warnings setup.cfg knows, so warnings
are no errors here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from segplug.apis.config import load_config
from segplug.engine import distributed
from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.runner import Runner
from segplug.errors import DataError
from segplug.evaluation import IoUMetric
from segplug.models.tta import TestCfg
from segplug.ops.confusion import confusion_matrix
from segplug.ops.cross_entropy import resized_cross_entropy
from segplug.registry import MODELS
from segplug.structures import SegDataSample

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings('default')]

CONFIG = 'unet/unet_r18_minicity.py'
DEVICE = 'cuda'
# Two images of 96 x 96 pixels and no worker: a step takes milliseconds on a GPU.
SMALL = {
    'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False, 'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
    'train_dataloader.dataset.pipeline.2.crop_size': (96, 96),
    'default_hooks.logger.interval': 1}
SGD = {'optim_wrapper.optimizer': dict(_delete_=True, type='SGD', lr=0.01, momentum=0.9)}
# The first steps are not to be lost to the search for a loss scale.
AMP = {'optim_wrapper.type': 'AmpOptimWrapper', 'optim_wrapper.loss_scale': dict(init_scale=128.)}


def runner_of(root, work_dir, iters: int, *, launcher: str = 'none', **options) -> Runner:
    """A Runner of the small UNet that has not run yet and will not validate."""
    cfg = load_config(CONFIG, options={**SMALL, 'train_cfg.max_iters': iters, **options},
                      data_root=str(root))
    cfg.work_dir, cfg.launcher = str(work_dir), launcher
    cfg.experiment_name = Path(work_dir).as_posix().replace('/', '_')
    for key in ('val_dataloader', 'val_evaluator', 'val_cfg'):
        cfg[key] = None
    return Runner.from_cfg(cfg)


def trained(root, work_dir, iters: int, **options) -> Runner:
    runner = runner_of(root, work_dir, iters, **options)
    runner.train()
    return runner


def parameters(runner: Runner) -> dict[str, torch.Tensor]:
    return {k: v.detach().cpu().clone() for k, v in runner._unwrapped().named_parameters()}


def check_trained(runner: Runner, before: dict[str, torch.Tensor]) -> None:
    """Parameters are on the device, finite, and all but a few moved; the loss was logged."""
    after = parameters(runner)
    assert {p.device.type for p in runner.model.parameters()} == {DEVICE}
    assert all(v.isfinite().all() for v in after.values())
    assert not [k for k, v in after.items() if torch.equal(v, before[k])]
    history = runner.message_hub.log_scalars['train/loss'].data[0]
    assert np.isfinite(history).all()


@pytest.mark.parametrize(('options', 'dtype'), [
    ({}, torch.float32),
    (AMP | {'optim_wrapper.dtype': 'float16'}, torch.float16),
    (AMP | {'optim_wrapper.dtype': 'bfloat16'}, torch.bfloat16),
], ids=['float32', 'float16', 'bfloat16'])
def test_training_steps(options, dtype, minicity, tmp_path):
    runner, seen = runner_of(minicity, tmp_path, 4, **options), set()
    before = parameters(runner)
    runner.model.decode_head.conv_seg.register_forward_hook(
        lambda module, inputs, output: seen.add((output.device.type, output.dtype)))
    runner.train()
    check_trained(runner, before)
    assert seen == {(DEVICE, dtype)}


def test_amp_takes_float16_and_scales_where_nothing_is_said(minicity, tmp_path):
    runner = trained(minicity, tmp_path, 1, **AMP)
    assert runner.optim_wrapper.cast_dtype is torch.float16
    assert runner.optim_wrapper.loss_scaler.is_enabled()


@pytest.fixture
def full_precision(monkeypatch):
    """Convolutions without TF32, their default on a GPU, which rounds inputs to 10 bits."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', False)


@pytest.fixture
def one_process(monkeypatch):
    """The environment of rank 0 of 1, as torchrun sets it; the process group ends with the test."""
    for name, value in dict(RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, LOCAL_WORLD_SIZE=1,
                            MASTER_ADDR='127.0.0.1',
                            MASTER_PORT=distributed.free_port()).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv('TORCHELASTIC_RUN_ID', raising=False)
    yield
    distributed.leave()


def test_sync_bn_is_torchs_own_under_nccl(one_process, minicity, tmp_path):
    runner = runner_of(minicity, tmp_path, 2, launcher='pytorch')
    before = parameters(runner)
    norms = [m for m in runner.model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert {type(m) for m in norms} == {nn.SyncBatchNorm}
    assert torch.distributed.get_backend() == 'nccl'
    runner.train()
    check_trained(runner, before)
    assert all(int(m.num_batches_tracked) == 2 for m in norms)


def test_a_resumed_run_ends_like_the_whole_one(full_precision, minicity, tmp_path):
    options = SGD | {'default_hooks.checkpoint.interval': 2,
                     'default_hooks.checkpoint.max_keep_ckpts': -1,
                     'env_cfg.cudnn_benchmark': False}
    whole = trained(minicity, tmp_path / 'whole', 4, **options)
    half = tmp_path / 'whole' / 'iter_2.pth'
    resumed = trained(minicity, tmp_path / 'resumed', 4, resume=True, load_from=str(half),
                      **options)
    assert resumed.iter == 4
    start, end = load_checkpoint(half)['state_dict'], parameters(resumed)
    for name, value in parameters(whole).items():
        # The sums of a GPU have no fixed order: a hundredth of what the last two steps changed.
        # Without the momentum, or with other images, it would be more than all of it.
        moved = (value - start[name]).norm()
        assert (end[name] - value).norm() <= 1e-2 * moved + 1e-5, name


def test_a_resumed_optimizer_lies_where_it_should(minicity, tmp_path):
    options = AMP | {'optim_wrapper.dtype': 'float16', 'default_hooks.checkpoint.interval': 2}
    trained(minicity, tmp_path, 2, **options)
    runner = trained(minicity, tmp_path, 3, resume=True, **options)
    states = list(runner.optim_wrapper.optimizer.state.values())
    assert {state['exp_avg'].device.type for state in states} == {DEVICE}
    # on a GPU each parameter's step count would be read back in each step
    assert {state['step'].device.type for state in states} == {'cpu'}
    assert {float(state['step']) for state in states} == {3.0}
    assert runner.optim_wrapper.loss_scaler.get_scale() == 128


# --- the test path -------------------------------------------------------------------------


SLIDE = dict(mode='slide', crop_size=(64, 64), stride=(43, 43))
AUG = dict(scales=(0.5, 1.0, 1.5), flip=True)


@pytest.mark.parametrize('settings', [
    dict(), SLIDE, SLIDE | dict(window_average='probs'), AUG, SLIDE | AUG,
    SLIDE | AUG | dict(window_average='probs'), AUG | dict(upsample='twice'),
], ids=['whole', 'slide', 'slide-probs', 'aug', 'slide-aug', 'slide-aug-probs', 'aug-twice'])
def test_labels_equal_those_of_the_cpu(settings, full_precision):
    torch.manual_seed(0)
    model = MODELS.build(load_config(CONFIG).model).eval()
    nn.init.normal_(model.decode_head.conv_seg.weight)  # logits far enough apart to tell
    model.tta_cfg = TestCfg(**settings, save_logits=True)
    coarse = torch.randint(0, 256, (1, 3, 9, 13)).float()
    img = nn.functional.interpolate(coarse, (101, 134), mode='bilinear').to(torch.uint8)[0]
    with torch.inference_mode():
        here, there = (predicted(model.to(device), img) for device in ('cpu', DEVICE))
    assert there.pred_sem_seg.data.device.type == DEVICE
    scores = here.seg_logits.data
    top = (scores if model.tta_cfg.num_augs > 1 else scores.softmax(0)).topk(2, dim=0).values
    clear = top[0] - top[1] > 1e-3
    assert clear.float().mean() > 0.9
    labels, found = here.pred_sem_seg.data[0], there.pred_sem_seg.data[0].cpu()
    assert labels.shape == (101, 134)
    assert labels.unique().numel() > 2
    assert torch.equal(found[clear], labels[clear])


def predicted(model, img: torch.Tensor) -> SegDataSample:
    sample = SegDataSample(metainfo=dict(ori_shape=(101, 134), img_shape=(101, 134)))
    return model.test_step(dict(inputs=[img.clone()], data_samples=[sample]))[0]


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int32, torch.int64])
def test_confusion_matrix_on_the_device(dtype):
    generator = torch.Generator().manual_seed(0)
    pred, label = (torch.randint(0, 19, (257, 513), generator=generator).to(dtype)
                   for _ in range(2))
    label[:40] = 255 if dtype is torch.uint8 else -1
    ignored = int(label[0, 0])
    here = confusion_matrix(pred, label, 19, ignored)
    there = confusion_matrix(pred.to(DEVICE), label.to(DEVICE), 19, ignored)
    assert there.device.type == DEVICE
    assert there.dtype == torch.int64
    assert torch.equal(there.cpu(), here)
    assert int(here.sum()) == (257 - 40) * 513
    pred[100, 100] = 19
    with pytest.raises(DataError, match='19'):
        confusion_matrix(pred.to(DEVICE), label.to(DEVICE), 19, ignored)


@pytest.mark.parametrize('dtype', [torch.float16, torch.float32])
def test_cross_entropy_of_small_logits(dtype):
    """As on the CPU, in float32 throughout, under autocast too."""
    generator, found = torch.Generator().manual_seed(0), []
    logits = (4 * torch.randn(2, 19, 16, 32, generator=generator)).to(dtype)
    label = torch.randint(0, 19, (2, 120, 250), generator=generator)
    label[:, 30:50] = 255
    for device in ('cpu', DEVICE):
        x = logits.to(device).detach().requires_grad_()
        with torch.autocast(DEVICE, enabled=device == DEVICE):
            total, right = resized_cross_entropy(x, label.to(device), None, 255)
        (total / 1000).backward()
        assert total.dtype == torch.float32
        assert x.grad.dtype == dtype
        found.append((total.detach().cpu(), right.cpu(), x.grad.cpu()))
    torch.testing.assert_close(found[0][0], found[1][0])
    assert abs(found[0][1] - found[1][1]) <= 5  # of 50,000; ties by rounding
    torch.testing.assert_close(found[0][2], found[1][2], rtol=1e-3, atol=1e-5)


def score(pred, label, **settings):
    """(metric, result) of seven images, predictions on their device, labels where they are."""
    made = IoUMetric(**settings)
    made.dataset_meta = dict(classes=tuple(map(str, range(19))))
    fine = torch.ones((), dtype=torch.bool, device=pred.device)
    for i in range(7):
        made.process({}, [dict(sample_idx=i, img_path=f'/d/{i}.png', pred_is_finite=fine,
                               pred_sem_seg=dict(data=pred[i:i + 1]),
                               gt_sem_seg=dict(data=label[i:i + 1]))])
    return made, made.evaluate(7)


@pytest.mark.parametrize('deterministic', [False, True])
@pytest.mark.parametrize('dtype', [torch.uint8, torch.int64])
def test_scores_and_files_are_the_same_bytes_as_on_the_cpu(dtype, deterministic, tmp_path):
    generator = torch.Generator().manual_seed(0)
    pred, label = torch.randint(0, 19, (2, 7, 65, 130), generator=generator).to(dtype)
    label[:, :9] = 255
    one, here = score(pred, label, out_dir=str(tmp_path / 'cpu'))
    torch.use_deterministic_algorithms(deterministic)
    try:
        _, there = score(pred.to(DEVICE), label, out_dir=str(tmp_path / 'cuda'))
    finally:
        torch.use_deterministic_algorithms(False)
    assert here == there
    assert one.matrix.sum() == 7 * 56 * 130
    names = sorted(p.relative_to(tmp_path / 'cpu') for p in (tmp_path / 'cpu').rglob('*.*'))
    assert len(names) == 10
    for name in names:
        assert (tmp_path / 'cpu' / name).read_bytes() == (tmp_path / 'cuda' / name).read_bytes()


def test_scoring_waits_for_nothing_and_still_names_the_file():
    made = IoUMetric()
    made.dataset_meta = dict(classes=('a', 'b'))
    pred = torch.zeros(1, 33, 65, dtype=torch.uint8, device=DEVICE)
    label, bad = pred.clone(), pred + 2
    torch.cuda.set_sync_debug_mode('error')
    try:
        for i in range(3):
            made.process({}, [dict(sample_idx=i, img_path=f'/d/{i}.png',
                                   pred_sem_seg=dict(data=bad if i == 1 else pred),
                                   gt_sem_seg=dict(data=label))])
    finally:
        torch.cuda.set_sync_debug_mode('default')
    with pytest.raises(DataError, match=r'/d/1\.png.*prediction map.*Got: 2\.'):
        made.evaluate(3)


# --- the launcher --------------------------------------------------------------------------


def tool(repo_root, name: str, *arguments, cwd) -> subprocess.CompletedProcess:
    env = {**os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'}
    return subprocess.run(['bash', str(repo_root / 'tools' / name), *map(str, arguments)],
                          cwd=cwd, env=env, text=True, capture_output=True, timeout=300)


def cfg_options(iters: int) -> list[str]:
    options = {k: v for k, v in SMALL.items() if not isinstance(v, tuple)}
    options |= {'train_cfg.max_iters': iters, 'train_cfg.val_interval': iters,
                'default_hooks.checkpoint.interval': 3}
    return ['--cfg-options', *(f'{k}={v}' for k, v in options.items())]


def test_dist_train_resume_and_dist_test_on_one_process(repo_root, minicity, tmp_path):
    shared = ['--work-dir', tmp_path / 'run', '--data-root', minicity]
    done = tool(repo_root, 'dist_train.sh', CONFIG, 1, *shared, '--amp', *cfg_options(3),
                cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '[3/3]' in done.stdout + done.stderr
    done = tool(repo_root, 'dist_train.sh', CONFIG, 1, *shared, '--amp', '--resume',
                *cfg_options(6), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'resumed epoch: 0, iter: 3' in done.stdout + done.stderr
    checkpoint = tmp_path / 'run' / 'iter_6.pth'
    assert load_checkpoint(checkpoint)['meta']['iter'] == 6
    done = tool(repo_root, 'dist_test.sh', CONFIG, checkpoint, 1, '--aug-test', '--out',
                tmp_path / 'out', *shared, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 0 <= json.loads((tmp_path / 'out' / 'metrics.json').read_text())['mIoU'] <= 100
    assert np.load(tmp_path / 'out' / 'confusion_matrix.npy').sum() > 0
    assert len(list((tmp_path / 'out' / 'predictions').rglob('*.png'))) == 3


def test_more_processes_than_gpus_is_one_sentence(repo_root, minicity, tmp_path):
    count = torch.cuda.device_count()
    done = tool(repo_root, 'dist_train.sh', CONFIG, count + 1, '--data-root', minicity,
                '--work-dir', tmp_path / 'run', *cfg_options(1), cwd=tmp_path)
    assert done.returncode == 1
    assert f'{count + 1} processes were started on a machine with {count} visible GPU' \
        in done.stderr
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'run').exists()
