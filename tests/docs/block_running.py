"""Runs the blocks of a page in a folder of its own; ``segplug`` commands in this process.

The folder has the repository's folders, data/minicity, a tiny training's checkpoint under the name
that the quickstart's has and its logs, in out/ what its test wrote, in mine/ images with labels,
street.png and street.mp4; mine.py and my_config.py are configs of the reader's.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import block_parsing
import cv2
import numpy as np
from blocks import ROOT, Block, assigned, commands

from segplug import registry
from segplug.cli.main import main

LINKS = ('configs', 'tools', 'tests', 'benchmarks', 'examples', 'docs', 'requirements', 'segplug')
WORK = 'work_dirs/unet_r18_minicity'
CHECKPOINT = f'{WORK}/iter_1000.pth'
# What the reader's own stands for here.
MEANT = {**dict.fromkeys(('CONFIG', 'CONFIG_A', 'CONFIG_B'), block_parsing.CONFIG),
         **dict.fromkeys(('CHECKPOINT', 'CHECKPOINT_A', 'CHECKPOINT_B'), CHECKPOINT)}
OWN_CONFIG = f"_base_ = 'segplug::{block_parsing.CONFIG}'\n"
# Flags of a verb that make it tiny; those of the block come after them, so that its own count.
ONE_WORKER = ('{0}_dataloader.num_workers=0', '{0}_dataloader.persistent_workers=False')
TINY_OPTIONS = {
    'train': ['train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'train_dataloader.batch_size=2',
              'val_dataloader.dataset.indices=2', 'default_hooks.checkpoint.save_optimizer=False',
              *(option.format(part) for part in ('train', 'val') for option in ONE_WORKER)],
    'test': ['test_dataloader.dataset.indices=2',
             *(option.format('test') for option in ONE_WORKER)]}
TINY_FLAGS = {'make-minicity': ['--train', '4', '--val', '3', '--test', '1', '--size', '128x64'],
              'browse': ['--num', '2']}


def run(block: Block, folder: Path, namespace: dict) -> None:
    """One block that is run, as it stands or tiny; raises where it fails."""
    if 'file' in block.options:
        path = folder / block.options['file']
        if Path(block.options['file']).parts[0] in LINKS:
            raise ValueError(f'{block.place}: this would be written into the repository')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    if block.kind == 'parse':
        block_parsing.check(block, folder)
    elif block.kind in ('run', 'tiny') and 'file' not in block.options:
        if block.language == 'python':
            exec(compile(block.text, block.place, 'exec'), namespace)
        elif block.language == 'bash':
            run_shell(block, folder)
        else:
            raise ValueError(f'{block.place}: {block.language!r} cannot be run')


def forget(folder: Path) -> None:
    """Take away the modules of a page, and the components that it has registered."""
    modules = {name for name, module in sys.modules.items()
               if str(folder) in str(getattr(module, '__file__', None))}
    for found in vars(registry).values():
        if isinstance(found, registry.Registry):
            for name, cls in list(found.module_dict.items()):
                if cls.__module__ in {*modules, '__main__'}:
                    found.module_dict.pop(name)
    for name in modules:
        del sys.modules[name]


def run_shell(block: Block, folder: Path) -> None:
    """Commands of segplug in this process, which has everything imported; others by bash."""
    for words in commands(block.text):
        given, words = assigned(words)
        if words[:2] == ['python', '-c'] and not given:
            exec(compile(words[2], block.place, 'exec'), {'__name__': '__main__'})
            continue
        command = as_verb([MEANT.get(word, word) for word in words])
        if command is None or given or {'|', '>', '&&'} & set(words):
            if block.kind == 'tiny':
                raise ValueError(f'{block.place}: this cannot be made tiny: {" ".join(words)}')
            run_in_bash(block, folder)
            return
        arguments = tiny(command, folder) if block.kind == 'tiny' else command
        call(arguments, block.place)
        if arguments[0] == 'train':
            name_as_whole(folder)


def as_verb(words: list[str]) -> list[str] | None:
    """The arguments of ``segplug`` that a command comes to; None where it is another program."""
    if words[0] == 'segplug':
        return words[1:]
    if words[0] == 'bash' and (script := Path(words[1]).name) in block_parsing.SCRIPTS:
        return [block_parsing.SCRIPTS[script], *block_parsing.of_verb(script, words[2:])]
    if words[0] == 'python' and Path(words[1]).parts[0] == 'tools':
        return [Path(words[1]).stem, *words[2:]]
    return None


def tiny(words: list[str], folder: Path) -> list[str]:
    """The command with flags that make it tiny, on one process."""
    verb, words = words[0], list(words[1:])
    if verb in TINY_OPTIONS:
        block_parsing.check_verb([verb, *words], folder)
    if '--nproc' in words:
        at = words.index('--nproc')
        del words[at:at + 2]
    words += [word for i, word in enumerate(TINY_FLAGS.get(verb, ()))
              if TINY_FLAGS[verb][i - i % 2] not in words]
    if verb in TINY_OPTIONS:
        at = words.index('--cfg-options') + 1 if '--cfg-options' in words else len(words)
        words[at:at] = TINY_OPTIONS[verb] if at < len(words) else [
            '--cfg-options', *TINY_OPTIONS[verb]]
    return [verb, *words]


def call(arguments: list[str], place: str) -> None:
    try:
        code = main(arguments)
    except SystemExit as error:
        code = error.code
    assert code in (0, None), f'{place}: segplug {" ".join(arguments)} ended with {code}'


def run_in_bash(block: Block, folder: Path) -> None:
    """The block as it stands; ``segplug`` and ``python`` are those that run the tests."""
    env = {**os.environ, 'PATH': f'{folder / "bin"}:{os.environ["PATH"]}', 'PYTHON': sys.executable,
           'CUDA_VISIBLE_DEVICES': '-1'}
    done = subprocess.run(['bash', '-euo', 'pipefail', '-c', block.text], cwd=folder, env=env,
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)
    assert done.returncode == 0, f'{block.place} ended with {done.returncode}:\n{done.stdout}'


def name_as_whole(folder: Path) -> None:
    """Give the checkpoint of a tiny training the name that the whole one has: iter_1000.pth."""
    for note in folder.glob('work_dirs/*/last_checkpoint'):
        newest, whole = Path(note.read_text().strip()), note.parent / 'iter_1000.pth'
        if not whole.exists():
            whole.symlink_to(newest.resolve())


def make_base(folder: Path) -> None:
    """What every page's folder begins with."""
    for name in LINKS:
        (folder / name).symlink_to(ROOT / name)
    call(['make-minicity', 'data/minicity', *TINY_FLAGS['make-minicity']], 'the mini data set')
    call(tiny(['train', block_parsing.CONFIG], folder), 'the tiny checkpoint')
    name_as_whole(folder)
    call(tiny(['test', block_parsing.CONFIG, CHECKPOINT, '--out', 'out'], folder), 'its test')
    draw_own_data(folder / 'mine')
    draw_street(folder)
    programs = folder / 'bin'
    programs.mkdir()
    for name, command in (('segplug', '-m segplug.cli.main'), ('python', '')):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
        (programs / name).chmod(0o755)


def draw_own_data(folder: Path) -> None:
    """Five images of 64 x 48 pixels, of three kinds, each class a colour; labels 0, 1, 2, 255."""
    label = np.repeat(np.arange(4, dtype=np.uint8), 12)[:, None].repeat(64, axis=1)
    colours = np.array([[10, 20, 30], [30, 160, 40], [120, 60, 160], [0, 0, 0]], np.uint8)
    for name in ('images', 'labels'):
        (folder / name).mkdir(parents=True)
    for i, kind in enumerate(('jpg', 'png', 'jpg', 'JPG', 'jpg')):
        rolled = np.roll(label, 7 * i, axis=0)
        cv2.imwrite(str(folder / 'images' / f'{i}.{kind}'), colours[rolled])
        cv2.imwrite(str(folder / 'labels' / f'{i}.png'), np.where(rolled == 3, 255, rolled))


def draw_street(folder: Path) -> None:
    """street.png, and street.mp4 of three frames."""
    images = sorted(folder.glob('data/minicity/leftImg8bit/*/*/*.png'))
    frames = [cv2.imread(str(path)) for path in images]
    cv2.imwrite(str(folder / 'street.png'), frames[0])
    height, width = frames[0].shape[:2]
    film = cv2.VideoWriter(str(folder / 'street.mp4'), cv2.VideoWriter.fourcc(*'mp4v'), 5,
                           (width, height))
    for frame in frames[:3]:
        film.write(frame)
    film.release()


def make_page_folder(base: Path, folder: Path) -> None:
    """A folder like ``base``, in which a page may write."""
    for name in (*LINKS, 'bin', 'out', 'street.png', 'street.mp4'):
        (folder / name).symlink_to((base / name).resolve())
    shutil.copytree(base / 'mine', folder / 'mine')
    for name in ('mine.py', 'my_config.py'):
        (folder / name).write_text(OWN_CONFIG)
    (folder / 'data').mkdir()
    (folder / 'data' / 'minicity').symlink_to(base / 'data' / 'minicity')
    (folder / WORK).mkdir(parents=True)
    (folder / CHECKPOINT).symlink_to((base / CHECKPOINT).resolve())
    for logs in (base / WORK).glob('*/vis_data'):
        (folder / WORK / logs.parent.name).symlink_to(logs.parent.resolve())
