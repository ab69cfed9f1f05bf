"""Training samples: 512x1024 crops of 2048x1024 PNGs, from the files and packed, with one worker.

The baseline reads as mmsegmentation does (`baselines/mmseg_training.py`); without distortion both
give the same bytes, which is checked first. Aims: 1.3 times its samples per second from PNG and 10
times from packed; packing takes at most 1.5 times as long as reading once; a worker sends at most
half the bytes. Then stage by stage, with the floor: decoding and copying.
"""

import tempfile
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from baselines.mmseg_training import STAGES
from common import figure, main, measure, row
from data import formats, loaders
from evaluation.frames import write_frames

from segplug.apis.packing import pack
from segplug.datasets.minicity import make_minicity
from segplug.datasets.transforms import LoadImageFromFile
from segplug.registry import DATASETS

BATCH = 4
NUM_FRAMES = 8
AIMS = {'from PNG': 1.3, 'from packed': 10.0, 'bytes': 2.0, 'pack': 1 / 1.5}


def run(args) -> list[dict]:
    full = args.size or ((256, 512) if args.quick else (1024, 2048))
    crop = full[0] // 2, full[1] // 2
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder) / 'frames', str(Path(folder) / 'packed')
        write_frames(root, full, 2 if args.quick else NUM_FRAMES)
        config = Path(folder) / 'config.py'
        config.write_text("default_scope = 'segplug'\ntrain_dataloader = dict(dataset="
                          f'{loaders.dataset_cfg(root, full, crop)!r})\n')
        pack(config, out)
        loaders.check_same(root, full, crop, out)
        ours = {where: DATASETS.build(loaders.dataset_cfg(root, full, crop, packed))
                for where, packed in (('from PNG', None), ('from packed', out))}
        baseline = loaders.BaselineDataset(loaders.files_of(ours['from PNG']), full, crop)
        label = f'{crop[1]}x{crop[0]} of {full[1]}x{full[0]}'
        rows = through_loader(baseline, ours, label, args)
        rows.append(row(f'bytes of a sample, {label}', loaders.sent_bytes(baseline[0]) / 1e6,
                        loaders.sent_bytes(ours['from PNG'][0]) / 1e6, 'MB', stage='bytes'))
        rows += by_stage(baseline, ours, label, args)
        rows += floor(baseline.files[0], out, ours['from packed'], crop, args)
        rows += packing(Path(folder), args)
        images = [cv2.imread(image) for image, _ in baseline.files]
        rows += formats.rows(images, Path(folder), crop, 5 if args.quick else 31)
    return rows


def through_loader(baseline, ours: dict, label: str, args) -> list[dict]:
    """Samples per second through a loader with one worker, by turns."""
    streams = {name: loaders.Stream(loaders.loader_of(dataset, BATCH))
               for name, dataset in {'baseline': baseline, **ours}.items()}
    found = {name: [] for name in streams}
    for _ in range(2 if args.quick else 7):
        for name, stream in streams.items():
            found[name].append(loaders.rate(stream, 8 if args.quick else 48))
    rates = {name: median(values) for name, values in found.items()}
    return [row(f'one worker {where}, {label}', rates['baseline'], rates[where], 'samples/s',
                stage=where) for where in ours]


def by_stage(baseline, ours: dict, label: str, args) -> list[dict]:
    """ms of each stage, in this process; the baseline's own three are one where ours are."""
    count = 4 if args.quick else 48
    loaders.baseline_stages(baseline, 2)
    times = loaders.baseline_stages(baseline, count)
    joint = dict(times)
    joint['resize, crop, flip'] = sum(joint.pop(k) for k in ('resize', 'crop', 'flip'))
    rows = [figure(f'baseline {name}, {label}', times[name], 'ms', stage='baseline')
            for name in STAGES]
    for where, dataset in ours.items():
        loaders.our_stages(dataset, 2)
        own = loaders.our_stages(dataset, count)
        rows += [row(f'{where} {name}', joint[name], own[name], stage=f'{where} {name}')
                 for name in own]
        rows.append(row(f'{where} all stages', sum(joint.values()), sum(own.values()),
                        stage=f'{where} all'))
    return rows


def floor(files: tuple[str, str], out: str, packed, crop, args) -> list[dict]:
    """What cannot be had for less: decoding a file, copying the pixels of a crop."""
    info = packed.get_data_info(0)
    data = np.fromfile(files[0], np.uint8)
    loader = LoadImageFromFile()
    frame = info['packed'].read('image', info['img_path'], loader.packed_settings)
    part = slice(0, crop[0]), slice(0, crop[1])
    times = measure({
        'cv2.imdecode of the image': lambda: cv2.imdecode(data, cv2.IMREAD_COLOR),
        'our decoding of the image': lambda: loader.transform(dict(img_path=files[0])),
        'copying a crop out of the packed frame': lambda: np.array(frame[part]),
        'copying a crop in memory': (lambda pixels: lambda: pixels.copy())(np.array(frame[part])),
    }, 'cpu', repeats=5 if args.quick else 15)
    return [figure(f'floor: {name}', value, 'ms', stage='floor') for name, value in times.items()]


def packing(folder: Path, args) -> list[dict]:
    """`segplug pack` of mini Cityscapes beside reading each of its files once; one thread."""
    root = folder / 'minicity'
    train, val = (8, 4) if args.quick else (300, 60)
    make_minicity(root, train=train, val=val, test=0, progress=False)
    config = 'unet/unet_r18_minicity.py'
    splits = ['train', 'val']
    turn = iter(range(1000))

    def read_once() -> None:
        from segplug.apis.config import load_config
        from segplug.apis.packing import jobs_of
        for job in jobs_of(load_config(config, data_root=str(root)), splits):
            job.load()

    times = measure({
        'read': read_once,
        'pack': lambda: pack(config, folder / f'pack{next(turn)}', splits=splits,
                             data_root=str(root), num_threads=1)},
        'cpu', repeats=3 if args.quick else 7)
    return [row('packing mini Cityscapes / reading it once', times['read'], times['pack'],
                stage='pack')]


def report(rows: list[dict]) -> str:
    """Aims and what was reached."""
    found = {line['stage']: line['ratio'] for line in rows if line['stage'] in AIMS}
    return '\n'.join(f'{stage}: {found[stage]:.2f}x, aim {aim:.2f}x'
                     f'{"" if found[stage] >= aim else "  NOT REACHED"}'
                     for stage, aim in AIMS.items())


if __name__ == '__main__':
    main(__doc__, run, report=report)
