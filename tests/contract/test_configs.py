"""Every leaf config, shrunk to a made-up tree: its data sets give samples and its heads fit its
encoder. Of leaves that differ in sizes only, one takes a train step and is tested plainly and with
--aug-test (see `trained`). The config itself says all else, so a new leaf needs no row here; a
data-set type that no leaf had before needs a maker of its tree."""

import functools
import json
import math
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from segplug.apis.config import load_config, set_data_root
from segplug.apis.config_checks import check_classes, datasets
from segplug.apis.places import base_path, config_files
from segplug.apis.testing import use_aug_test
from segplug.apis.training import check_trainable
from segplug.engine.runner import Runner
from segplug.models.layers.staged import StagedBackbone
from segplug.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / 'examples' / 'plugin'
SHIPPED = sorted(p for p in (ROOT / 'configs').rglob('*.py')
                 if '_base_' not in p.relative_to(ROOT).parts)
LEAVES = SHIPPED + sorted((PLUGIN / 'configs').rglob('*.py'))
DATA = sorted((ROOT / 'configs' / '_base_' / 'datasets').glob('*.py'))
# Others add the data set or augmentations; the classes of one's own data are in a file.
HALF_BASES = ('by_iteration', 'cityscapes_tree', 'own_data')

CROP, WINDOW, STRIDE, LONG_SIDE = (64, 64), (32, 32), (22, 22), 64


@functools.cache
def as_shipped(path: Path) -> Config:
    """A leaf as it is, to read and not to change: reading takes a tenth of a second."""
    return load_config(path)


# --- trees -----------------------------------------------------------------------------------

def make_folders(root: Path, config: Config) -> Path:
    """Four pairs per folder that the config names; 96 x 64 pixels, any label value and 255."""
    rng = np.random.default_rng(0)
    sets = {str((d.data_prefix, d.get('ann_file'))): d for _, d in datasets(config)}
    for dataset in sets.values():
        kind = DATASETS.get(dataset.type)
        prefixes = dict(dataset.data_prefix)
        labels = root / prefixes.pop('seg_map_path')
        images = [root / prefix for prefix in prefixes.values()]
        values = len(kind.METAINFO['classes']) + kind.REDUCE_ZERO_LABEL
        for folder in (*images, labels):
            folder.mkdir(parents=True, exist_ok=True)
        for i in range(4):
            label = rng.integers(0, values, (64, 96), np.uint8)
            label[:8] = 255
            cv2.imwrite(str(labels / f'{i}{kind.SEG_MAP_SUFFIX}'), label)
            for folder in images:
                cv2.imwrite(str(folder / f'{i}{kind.IMG_SUFFIX}'),
                            rng.integers(0, 256, (64, 96, 3), np.uint8))
        if dataset.get('ann_file'):
            split = root / dataset.ann_file
            split.parent.mkdir(parents=True, exist_ok=True)
            split.write_text('0\n1\n2\n3\n')
    return root


@pytest.fixture
def make_tree(tmp_path, minicity):
    """A config -> the root of a tree that fits its data sets."""
    makers = {'CityscapesDataset': lambda config: minicity, **dict.fromkeys(
        ('ADE20KDataset', 'CamVidDataset', 'PascalVOCDataset'),
        lambda config: make_folders(tmp_path / 'tree', config))}

    def make(config):
        kinds = {dataset.type for _, dataset in datasets(config)}
        assert len(kinds) == 1, f'{config.filename} mixes data sets: give each a maker here'
        kind = kinds.pop()
        if kind not in makers:
            pytest.fail(f'No tree is made up for {kind}: add a maker to make_tree in {__file__}.')
        return makers[kind](config)

    return make


@pytest.fixture
def options(monkeypatch, request):
    """What the command line adds: the plugin's configs import it as a project-local package."""
    if not request.param.is_relative_to(PLUGIN):
        yield request.param, {}
        return
    monkeypatch.syspath_prepend(str(PLUGIN))
    before = set(MODELS.module_dict)
    yield request.param, {'custom_imports.imports': ['segplug_gated']}
    for name in set(MODELS.module_dict) - before:
        del MODELS.module_dict[name]
    for name in [name for name in sys.modules if name.split('.')[0] == 'segplug_gated']:
        del sys.modules[name]


# --- shrinking -------------------------------------------------------------------------------

def shrink(node) -> None:
    """Make every size in a config tiny and switch published weights off, wherever they stand."""
    if isinstance(node, (list, tuple)):
        for item in node:
            shrink(item)
    if not isinstance(node, dict):
        return
    for key, value in list(node.items()):
        if key in ('size', 'crop_size') and value is not None:
            node[key] = CROP
        elif key == 'scale' and 'Resize' in node.get('type', ''):
            node[key] = (128, 64)
        elif key == 'pretrained' or (key == 'init_cfg' and 'Pretrained' in str(value)):
            node[key] = None
        else:
            shrink(value)


def shrink_test(test_cfg: dict) -> None:
    """Small windows, two of many scales; the step is two thirds of a window, as in the recipe."""
    if test_cfg.get('mode') == 'slide':
        test_cfg.update(crop_size=WINDOW, stride=STRIDE)
    if test_cfg.get('base_size'):
        test_cfg['base_size'] = LONG_SIDE
    scales = test_cfg.get('scales', [1.0])
    test_cfg['scales'] = scales if len(scales) == 1 else [scales[0], scales[-1]]


def shrink_loaders(cfg: Config) -> None:
    """Two images to train on (of each part of a joined set), one to test; no workers."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[name].update(batch_size=2 if name == 'train_dataloader' else 1, num_workers=0,
                         persistent_workers=False)
        cfg[name].pop('prefetch_factor', None)
    for name, dataset in datasets(cfg):
        dataset['indices'] = cfg[name].batch_size


def one_step(cfg: Config, work_dir: Path) -> None:
    """One iteration of training on two images, a test on one, nothing saved."""
    shrink(cfg._cfg_dict)
    shrink_test(cfg.model.setdefault('test_cfg', {}))
    shrink_loaders(cfg)
    for key, length in dict(max_iters=1, max_epochs=1).items():
        if key in cfg.train_cfg:
            cfg.train_cfg[key] = length
    # A level of one pixel has batch norms over two values, whose gradient may be of any size.
    cfg.optim_wrapper.clip_grad = dict(max_norm=1.0)
    # What follows a warm-up begins after the one iteration.
    cfg.param_scheduler = [step for step in cfg.param_scheduler if not step.get('begin')]
    cfg.default_hooks.checkpoint.update(interval=-1, save_last=False)
    cfg.default_hooks.checkpoint.pop('save_best', None)
    cfg.work_dir = str(work_dir)


# --- which leaves are trained ----------------------------------------------------------------

# What makes the same network larger or smaller, or lets it start from other weights; also
# every key that ends in SIZE_ENDS.
SIZES = ('num_classes', 'depth', 'num_modules', 'mask_size', 'norm_cfg', 'pretrained', 'init_cfg',
         'data_preprocessor')
SIZE_ENDS = ('channels', '_blocks')


def structure(node):
    """A model's config without its sizes; those that test_backbones.py trains alike are one."""
    if isinstance(node, (list, tuple)):
        return [structure(item) for item in node]
    if not isinstance(node, dict):
        return node
    if 'output_stride' in node and issubclass(MODELS.get(node['type']), StagedBackbone):
        return dict(type='StagedBackbone')
    return {key: structure(value) for key, value in node.items()
            if key not in SIZES and not key.endswith(SIZE_ENDS)}


def base_files(path: Path) -> set[Path]:
    """The files below ``_base_`` that a config builds on, at any distance."""
    return {file.resolve() for file in config_files(path) if '_base_' in file.parts}


@functools.cache
def trained() -> frozenset[Path]:
    """The leaves that are trained: each that brings a structure or a base file none before it has.

    A train step and two tests take seconds, and there are many leaves: most repeat another one
    on other data, or with more layers, where sizes may disagree (which building the model and
    passing shapes through it shows) but no other code runs. In natural order r18 comes before
    r50 before r101, so the smallest of its kind is the one trained; every file of ``_base_``,
    data sets and schedules too, is trained with at least once.
    """
    chosen, seen = set(), set()
    for path in sorted(LEAVES, key=lambda p: [int(part) if part.isdigit() else part
                                              for part in re.split(r'(\d+)', p.stem)]):
        model = structure(as_shipped(path).model)
        brings = {json.dumps(model, sort_keys=True), *base_files(path)}
        if not brings <= seen:
            chosen.add(path)
            seen |= brings
    return frozenset(chosen)


# --- tests -----------------------------------------------------------------------------------

def by_name(path):
    return path.stem if isinstance(path, Path) else None


@pytest.mark.parametrize('options', LEAVES, indirect=True, ids=by_name)
def test_a_leaf_works(options, make_tree, tmp_path):
    path, options = options
    root = make_tree(as_shipped(path))
    cfg = load_config(path, options=options, data_root=str(root))
    check_trainable(cfg)
    check_classes(cfg)
    one_step(cfg, tmp_path / 'work')
    if path in trained():
        assert_trains_and_tests(cfg, path.stem)
    else:
        init_default_scope(cfg.default_scope)  # a runner does it for those that are trained
        assert_samples_come(cfg)
        assert_sizes_agree(cfg)


def assert_trains_and_tests(cfg, name):
    runner = Runner.from_cfg(cfg)
    before = {name: p.detach().clone() for name, p in runner.model.named_parameters()}
    runner.train()
    assert runner.iter == 1
    assert math.isfinite(runner.message_hub.get_scalar('train/loss').current())
    assert_every_parameter_is_trained_once(runner)
    assert any(not torch.equal(before[name], p) for name, p in runner.model.named_parameters())
    assert_scores(runner.test())

    use_aug_test(cfg)
    shrink_test(cfg.model.test_cfg)
    cfg.experiment_name = f'{name}_aug'
    aug = Runner.from_cfg(cfg)
    assert aug.model.tta_cfg.num_augs > runner.model.tta_cfg.num_augs
    assert_scores(aug.test())


def assert_samples_come(cfg):
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        sample = DATASETS.build(loader.dataset)[0]
        assert sample['inputs'].dtype in (torch.uint8, torch.float32)
        assert sample['data_samples'].gt_sem_seg.data.dim() == 3
    assert sample['inputs'].dim() == 3


def assert_sizes_agree(cfg):
    """On the meta device tensors have shapes and no values: nothing is computed."""
    with torch.device('meta'):
        model = MODELS.build(cfg.model).eval()
        images = torch.empty(2, 3, *CROP)
    metas = [dict(img_shape=CROP, ori_shape=CROP, pad_shape=CROP)] * 2
    with torch.no_grad():
        levels = model.extract_feat(images)
        assert model.decode(levels, metas).shape[:2] == (2, model.out_channels)
        for head in model._auxiliary_heads().values():
            head(levels)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer
    held = sum(len(group['params']) for group in optimizer.param_groups)
    assert held == len(list(model.parameters()))


def test_sizes_are_no_structure():
    a = dict(type='X', depth=50, in_channels=[1, 2], stage=[dict(num_blocks=3, dilation=2)])
    b = dict(type='X', depth=101, in_channels=[4], stage=[dict(num_blocks=4, dilation=2)])
    assert structure(a) == structure(b) == dict(type='X', stage=[dict(dilation=2)])
    assert structure(dict(a, type='Y')) != structure(a)


def test_every_base_file_is_trained_with():
    """Those of data sets excepted, of which there are more than leaves: see the next test."""
    files = set((ROOT / 'configs' / '_base_').rglob('*.py'))
    assert files - set(DATA) == set().union(*map(base_files, trained())) - set(DATA)


@pytest.mark.parametrize('path', [path for path in DATA if path.stem not in HALF_BASES],
                         ids=by_name)
def test_a_base_of_data_gives_samples(path, tmp_path):
    cfg = Config.fromfile(path)
    set_data_root(cfg, str(make_folders(tmp_path, cfg)))
    shrink(cfg._cfg_dict)
    init_default_scope('segplug')
    assert_samples_come(cfg)
    assert cfg.test_evaluator.type == 'IoUMetric'
    assert {kind.test_mode for name, kind in datasets(cfg) if name != 'train_dataloader'} == {True}


def assert_every_parameter_is_trained_once(runner):
    groups = runner.optim_wrapper.optimizer.param_groups
    trained = [id(p) for group in groups for p in group['params'] if p.requires_grad]
    assert sorted(trained) == sorted(id(p) for p in runner.model.parameters() if p.requires_grad)
    assert runner.param_schedulers


def assert_scores(scores):
    assert all(0 <= scores[key] <= 100 for key in ('mIoU', 'mAcc', 'aAcc'))


@pytest.mark.parametrize('path', LEAVES, ids=by_name)
def test_the_bases_of_a_leaf_share_no_key(path):
    """One fact, one place: no base of a leaf sets what another one sets."""
    bases = {file: set(Config.fromfile(file)) for file in nearest_bases(path)}
    for a, b in ((a, b) for a in bases for b in bases if str(a) < str(b)):
        assert not bases[a] & bases[b], f'{a.name} and {b.name} both set {bases[a] & bases[b]}'


def nearest_bases(path: Path) -> list[Path]:
    return [Path(base_path(base, path)) for base in Config._get_base_files(str(path))]


def test_every_leaf_writes_to_a_work_directory_of_its_own():
    assert {as_shipped(path).work_dir for path in LEAVES} == {
        f'work_dirs/{path.stem}' for path in LEAVES}
    assert len({path.stem for path in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize('path', SHIPPED, ids=by_name)
def test_the_readme_of_the_method_has_a_row_for_a_leaf(path):
    rows = [line for line in (path.parent / 'README.md').read_text().splitlines()
            if re.match(rf'\|.*\({re.escape(path.name)}\)', line)]
    assert len(rows) == 1, f'{path.parent.name}/README.md has {len(rows)} rows for {path.name}'


def rows_of_readme(path: Path) -> dict[str, str]:
    lines = (path.parent / 'README.md').read_text().splitlines()
    return {found[1]: line for line in lines if (found := re.match(r'\| \[.*?\]\((.*?)\)', line))}


@pytest.mark.parametrize('path', SHIPPED, ids=by_name)
def test_the_readme_says_how_long_and_how_many(path):
    """'80,000 iterations, 4 x 2 crops' or '8 x 4 images', where the row says so."""
    cfg, row = as_shipped(path), rows_of_readme(path)[path.name]
    if found := re.search(r'([\d,]+) iterations', row):
        assert int(found[1].replace(',', '')) == cfg.train_cfg.max_iters
    if found := re.search(r'(\d+) x (\d+) (?:crops|images)', row):
        processes, images = map(int, found.groups())
        assert images == cfg.train_dataloader.batch_size
        # What --auto-scale-lr takes the learning rate to be for.
        assert cfg.auto_scale_lr.base_batch_size == processes * images


def test_the_model_of_the_recipe():
    """A dilated ResNet-101 with plain stem hands out 1/2, 1/4, 1/8, 1/8, 1/8."""
    cfg = load_config('unet/unet_r101d_city.py').model
    backbone = MODELS.build(dict(cfg.backbone, init_cfg=None))
    assert backbone.out_channels == (64, 256, 512, 1024, 2048)
    assert backbone.out_strides == (2, 4, 8, 8, 8)
    assert cfg.backbone.type == 'ResNet'
    assert cfg.backbone.init_cfg.checkpoint == 'torchvision://resnet101'
    assert [b.conv2.dilation for b in (backbone.layer3[0], backbone.layer4[0])] == [(2, 2), (4, 4)]
    assert tuple(cfg.decode_head.in_channels) == backbone.out_channels
    assert tuple(cfg.decode_head.decoder_channels) == (256, 128, 64, 32, 16)
    assert cfg.decode_head.num_classes == 19
    assert cfg.backbone.norm_cfg.type == cfg.decode_head.norm_cfg.type == 'SyncBN'


def test_the_training_of_the_recipe():
    cfg = load_config('unet/unet_r101d_city.py')
    assert cfg.train_cfg.max_epochs == 200
    assert cfg.train_dataloader.batch_size == 2
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    assert list(steps) == ['LoadImageFromFile', 'LoadAnnotations', 'RandomResize', 'RandomRotate',
                           'RandomCrop', 'RandomFlip', 'GaussianBlur', 'PackSegInputs']
    assert tuple(steps['RandomResize'].ratio_range) == (0.5, 2.0)
    assert steps['RandomRotate'].degree == 10
    # BGR, as images are read; the preprocessor's mean is RGB.
    assert list(steps['RandomRotate'].pad_val) == cfg.model.data_preprocessor.mean[::-1]
    assert steps['RandomRotate'].seg_pad_val == 255
    assert tuple(steps['RandomCrop'].crop_size) == (512, 512)
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4)
    assert cfg.optim_wrapper.paramwise_cfg.custom_keys == {'decode_head': {'lr_mult': 10.}}
    assert [(s.type, s.power, s.convert_to_iter_based) for s in cfg.param_scheduler] == [
        ('PolyLR', 0.9, True)]


def test_the_test_of_the_recipe():
    """Two thirds of 512, rounded up, are 342; the published single-scale has the mirror image."""
    cfg = load_config('unet/unet_r101d_city.py')
    assert cfg.model.test_cfg == dict(
        mode='slide', crop_size=(512, 512), stride=(342, 342), window_average='probs',
        base_size=2048, scales=[1.0], flip=True)
    use_aug_test(cfg)
    assert cfg.model.test_cfg.scales == [0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert cfg.model.test_cfg.flip
