"""What people hand in, whole: how to make it, how to damage it, and what we then do with it."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml
from config_mutations import no_data
from damage import changed_tree, damaged, damaged_text, strange_weight
from engine_toy import toy_cfg
from mmengine.config import Config
from mmengine.registry import DefaultScope

from segplug.apis.comparing import compare
from segplug.apis.config import load_config
from segplug.apis.examining import examine
from segplug.apis.packing import broken, pack
from segplug.apis.publishing import publish
from segplug.apis.saved_config import config_of_checkpoint
from segplug.apis.scoring import score
from segplug.apis.training import train
from segplug.datasets.classes import find_table
from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.loading import load_state_dict
from segplug.engine.runner import Runner
from segplug.engine.unpickled import sound_meta
from segplug.registry import DATASETS, MODELS

NAMES = ('a', 'b', 'c')
CLASSES = ('road', 'car', 'sky', 'tree')
PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
            dict(type='RandomCrop', crop_size=(16, 16)), dict(type='RandomFlip', prob=0.5),
            dict(type='PackSegInputs')]


def _nothing_left(place: Path, error) -> str:
    return ''


@dataclass(frozen=True)
class Target:
    """One kind of input.

    Attributes:
        make: Writes everything whole into a folder.
        damage: Damages something in a copy of that folder.
        use: Does with it what a command does.
        left: What was left behind half written, as text, '' for nothing; from the folder and the
            kind of error that was raised, '' for success.
    """

    make: Callable[[Path], None]
    damage: Callable[[Path, random.Random], None]
    use: Callable[[Path], None]
    left: Callable[[Path, str], str] = _nothing_left


def one_of(pattern: str, how: Callable = damaged) -> Callable[[Path, random.Random], None]:
    """A damage to one of the files of that name."""
    def damage(place: Path, draw: random.Random) -> None:
        file = draw.choice(sorted(place.glob(pattern)))
        file.write_bytes(how(file.read_bytes(), draw))
    return damage


# --- images and labels -------------------------------------------------------------------------

def make_tree(place: Path, image: str = '.png', label: str = '.png',
              size: tuple[int, int] = (24, 32)) -> None:
    """Three images of 24 x 32 pixels, or another size, and their labels."""
    draw = np.random.default_rng(0)
    for name in NAMES:
        _write(place / 'img' / f'{name}{image}', draw.integers(0, 256, (*size, 3), np.uint8))
        _write(place / 'ann' / f'{name}{label}', draw.integers(0, 4, size, np.uint8))


def _write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == '.npy':
        np.save(path, pixels)
    else:
        cv2.imwrite(str(path), pixels)


def read_tree(place: Path, image: str = '.png', label: str = '.png', **settings) -> None:
    read(type='BaseSegDataset', data_root=str(place), img_suffix=image, seg_map_suffix=label,
         data_prefix=dict(img_path='img', seg_map_path='ann'), **settings)


def read(**dataset) -> None:
    """Every sample of a data set."""
    with DefaultScope.overwrite_default_scope('segplug'):
        samples = DATASETS.build(dict(dataset, pipeline=PIPELINE, metainfo=dict(classes=CLASSES)))
        for index in range(len(samples)):
            samples[index]


def files(kind: str, image: str = '.png', label: str = '.png') -> Target:
    return Target(lambda place: make_tree(place, image, label), one_of(f'{kind}/*'),
                  lambda place: read_tree(place, image, label))


# --- lists and tables --------------------------------------------------------------------------

def make_list(place: Path) -> None:
    make_tree(place)
    (place / 'names.txt').write_text('a\nb\n')


def make_table(place: Path) -> None:
    make_tree(place)
    (place / 'pairs.csv').write_text('image,label,weight\n' + ''.join(
        f'img/{name}.png,ann/{name}.png,{i}\n' for i, name in enumerate(NAMES)))


def read_table(place: Path) -> None:
    read(type='ListDataset', ann_file='pairs.csv', data_root=str(place))


def make_classes(place: Path) -> None:
    (place / 'classes.csv').write_text('id,name,r,g,b\n' + ''.join(
        f'{i},{name},{i},{2 * i},{3 * i}\n' for i, name in enumerate(CLASSES)))
    (place / 'classes.txt').write_text('\n'.join(CLASSES))
    (place / 'classes.json').write_text(json.dumps(dict(
        classes=CLASSES, palette=[[1, 2, i] for i in range(len(CLASSES))])))


def read_classes(place: Path) -> None:
    for name in ('classes.csv', 'classes.txt', 'classes.json'):
        find_table(name, [str(place)])


# --- configs -----------------------------------------------------------------------------------

def make_configs(place: Path) -> None:
    """A shipped config and its bases; and the same, resolved, as JSON and YAML."""
    shipped = Path(load_config('unet/unet_r18_minicity.py').filename).parents[1]
    shutil.copytree(shipped / '_base_', place / '_base_')
    (place / 'unet').mkdir()
    shutil.copy(shipped / 'unet' / 'unet_r18_minicity.py', place / 'unet' / 'leaf.py')
    resolved = Config.fromfile(place / 'unet' / 'leaf.py').to_dict()
    plain = json.loads(json.dumps(resolved))
    (place / 'leaf.json').write_text(json.dumps(plain))
    (place / 'leaf.yaml').write_text(yaml.safe_dump(plain))


def damage_config(place: Path, draw: random.Random) -> None:
    """Another text, or another value somewhere in the resolved config."""
    (place / 'used').write_text('unet/leaf.py')
    kind = draw.random()
    if kind < 0.3:
        file = draw.choice((place / 'unet' / 'leaf.py', *(
            place / '_base_' / name for name in (
                'models/unet_r18.py', 'datasets/minicity.py', 'default_runtime.py',
                'schedules/schedule_1k_onecycle.py'))))
        file.write_bytes(damaged_text(file.read_bytes(), draw))
    elif kind < 0.5:
        file = place / draw.choice(('leaf.json', 'leaf.yaml'))
        file.write_bytes(damaged_text(file.read_bytes(), draw))
        (place / 'used').write_text(file.name)
    else:
        tree = json.loads((place / 'leaf.json').read_text())
        for _ in range(draw.randint(1, 2)):
            tree = changed_tree(tree, draw)
        (place / 'leaf.json').write_text(json.dumps(tree))
        (place / 'used').write_text('leaf.json')


def use_config(place: Path) -> None:
    """Train up to the first iteration, with the network on the meta device and no image."""
    with no_data():
        train(str(place / (place / 'used').read_text()), work_dir=str(place / 'work'),
              doctor=False)


# --- checkpoints -------------------------------------------------------------------------------

def _net() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))


def make_checkpoint(place: Path) -> None:
    net = _net()
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.zeros(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    save_checkpoint(dict(
        meta=dict(iter=3, epoch=0, seed=1, cfg='{}', dataset_meta=dict(classes=list(CLASSES))),
        state_dict=net.state_dict(), optimizer=optimizer.state_dict(),
        message_hub=dict(log_scalars={}, runtime_info=dict(iter=3), resumed_keys={}),
        param_schedulers=[dict(last_step=3)]), place / 'iter_3.pth')


def damage_checkpoint(place: Path, draw: random.Random) -> None:
    """Other bytes, or another value somewhere in it."""
    if draw.random() < 0.5:
        one_of('*.pth')(place, draw)
        return
    tree = torch.load(place / 'iter_3.pth', weights_only=True)
    torch.save(changed_tree({**tree, 'state_dict': dict(tree['state_dict'])}, draw,
                            strange_weight), place / 'iter_3.pth')


def use_checkpoint(place: Path) -> None:
    loaded = load_checkpoint(place / 'iter_3.pth')
    load_state_dict(_net(), loaded, place / 'iter_3.pth')


def make_published(place: Path) -> None:
    make_checkpoint(place)
    publish(str(place / 'iter_3.pth'), str(place / 'a.safetensors'))


def use_published(place: Path) -> None:
    (file,) = place.glob('*.safetensors')
    load_state_dict(_net(), load_checkpoint(file), file)


def use_publish(place: Path) -> None:
    publish(str(place / 'iter_3.pth'), str(place / 'out'))


def published_is_whole(place: Path, error) -> str:
    """What lies in the folder is one whole file, or nothing after an error."""
    found = sorted((place / 'out').glob('**/*')) if (place / 'out').exists() else []
    if error or len(found) != 1:
        return ', '.join(path.name for path in found) if error else f'{len(found)} files'
    load_checkpoint(found[0])
    return ''


def make_saved_config(place: Path) -> None:
    resolved = load_config('unet/unet_r18_minicity.py').to_dict()
    (place / 'cfg.json').write_text(json.dumps(resolved))


def damage_saved_config(place: Path, draw: random.Random) -> None:
    """Another text, or another value somewhere in it."""
    file = place / 'cfg.json'
    if draw.random() < 0.5:
        one_of('cfg.json', damaged_text)(place, draw)
    else:
        file.write_text(json.dumps(changed_tree(json.loads(file.read_text()), draw)))


def use_saved_config(place: Path) -> None:
    text = (place / 'cfg.json').read_text(errors='replace')
    cfg = config_of_checkpoint(sound_meta(dict(meta=dict(cfg=text))), 'a.pth')
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device('meta'):
        MODELS.build(cfg.get('model'))


def make_run(place: Path) -> None:
    """Two iterations of a network of one convolution, and what they saved."""
    Runner.from_cfg(_toy(place, 2)).train()
    shutil.rmtree(next(path for path in place.iterdir() if path.is_dir()))


def _toy(place: Path, iterations: int, **settings):
    cfg = toy_cfg(place, **settings)
    cfg.train_cfg.max_iters = iterations
    cfg.log_level = 'ERROR'
    return cfg


def damage_run(place: Path, draw: random.Random) -> None:
    tree = torch.load(place / 'iter_2.pth', weights_only=True)
    tree['state_dict'] = dict(tree['state_dict'])
    for _ in range(draw.randint(1, 3)):
        tree = changed_tree(tree, draw, strange_weight)
    torch.save(tree, place / 'changed.pth')


def use_run(place: Path) -> None:
    Runner.from_cfg(_toy(place, 3, load_from=str(place / 'changed.pth'), resume=True)).train()


# --- the packed form ---------------------------------------------------------------------------

def _pack_config(place: Path) -> Path:
    loader = dict(batch_size=1, dataset=dict(
        type='BaseSegDataset', data_root=str(place), img_suffix='.png', pipeline=PIPELINE,
        data_prefix=dict(img_path='img', seg_map_path='ann'), metainfo=dict(classes=CLASSES)))
    (place / 'pack.json').write_text(json.dumps(dict(train_dataloader=loader)))
    return place / 'pack.json'


def make_packed(place: Path) -> None:
    make_tree(place)
    pack(_pack_config(place), place / 'packed', splits=('train',), num_threads=1)


def use_packed(place: Path) -> None:
    read_tree(place, packed=str(place / 'packed'))


def use_pack(place: Path) -> None:
    pack(_pack_config(place), place / 'packed', splits=('train',), num_threads=1)


def use_doctor(place: Path) -> None:
    examine(_pack_config(place), splits=('train',), num_threads=1)


def pack_is_whole(place: Path, error) -> str:
    """What is in the packed form is right, however packing ended."""
    if not (place / 'packed').exists():
        return ''
    return ', '.join(broken(place / 'packed'))


# --- predictions and scores --------------------------------------------------------------------

def make_scores(place: Path) -> None:
    make_tree(place)
    shutil.copytree(place / 'ann', place / 'pred')
    (place / 'names.txt').write_text('a\nb\nc\n')


def use_scores(place: Path) -> None:
    score(str(place / 'pred'), str(place / 'ann'), classes='4', out=str(place / 'out'),
          names=str(place / 'names.txt'), num_threads=1, pred_values='class-ids')


def no_scores(place: Path, error) -> str:
    written = sorted(path.name for path in (place / 'out').rglob('*') if path.is_file())
    return ', '.join(written) if error else '' if 'metrics.json' in written else 'no metrics.json'


def make_tested(place: Path) -> None:
    make_scores(place)
    use_scores(place)
    shutil.copytree(place / 'out', place / 'other')


def use_tested(place: Path) -> None:
    compare(str(place / 'out'), str(place / 'other'), draws=50)


TARGETS = {
    'image': files('img'),
    'label': files('ann'),
    'config': Target(make_configs, damage_config, use_config),
    'checkpoint': Target(make_checkpoint, damage_checkpoint, use_checkpoint),
    'resume': Target(make_run, damage_run, use_run),
    'list': Target(make_list, one_of('names.txt', damaged_text),
                   lambda place: read_tree(place, ann_file='names.txt')),
    'table': Target(make_table, one_of('pairs.csv', damaged_text), read_table),
    'classes': Target(make_classes, one_of('classes.*', damaged_text), read_classes),
    'packed': Target(make_packed, one_of('packed/*'), use_packed),
    'prediction': Target(make_scores, one_of('pred/*'), use_scores, no_scores),
    'jpeg': files('img', image='.jpg'),
    'tiff': files('*', image='.tif', label='.tif'),
    'array': files('*', image='.npy', label='.npy'),
    'pack': Target(make_tree, one_of('*/*.png'), use_pack, pack_is_whole),
    'split': Target(make_scores, one_of('names.txt', damaged_text), use_scores, no_scores),
    'tested': Target(make_tested, one_of('o*/*', damaged_text), use_tested),
    # Large enough for our own decoder, where isal is installed.
    'png': Target(lambda place: make_tree(place, size=(96, 192)), one_of('*/*.png'), read_tree),
    'published': Target(make_published, one_of('*.safetensors'), use_published),
    'publish': Target(make_checkpoint, damage_checkpoint, use_publish, published_is_whole),
    'saved config': Target(make_saved_config, damage_saved_config, use_saved_config),
    'doctor': Target(make_tree, one_of('*/*.png'), use_doctor),
}
