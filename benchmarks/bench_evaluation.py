"""A whole test: ours, mmsegmentation's procedure and the naive sequential one, side by side.

Each reads, predicts and scores the same frames with the same network, by turns: single-scale and
multi-scale with flip, on 1 thread and on 2. Aims, with an almost free network on a CPU at
2048x1024, 19 classes: against mmsegmentation post-processing and scoring 8 and 10 times as
fast, reading 4 times, a multi-scale test 10 times (20 against the naive one), the confusion
matrix 20 times; peak memory over the network's own under 400 MB whatever the augmentations.
Also: what makes the baseline credible, and how far from the machine's limits ours is.
"""

import tempfile
from pathlib import Path

import torch
from baselines.mmseg_procedure import intersect_and_union, load_label
from common import figure, main, measure, row, set_threads
from evaluation import credibility, floor, frames, memory, targets
from evaluation.networks import ALMOST_FREE, CLASSES, STRIDE, schemes, test_cfg
from evaluation.procedures import STAGES, by_turns, side

from segplug.ops.confusion import confusion_matrix

NUM_FRAMES = 2


def sizes(args) -> dict[str, tuple[int, int]]:
    """(H, W) of the frames for each network; on a CPU a real one gets a quarter of the pixels."""
    on_cuda = args.device == 'cuda'
    full = args.size or ((256, 512) if args.quick and not on_cuda else (1024, 2048))
    half = full if on_cuda else tuple(max(length // 2, 32) for length in full)
    return {ALMOST_FREE: full, 'unet_r18': half, **({'unet_r101d': full} if on_cuda else {})}


def compare(name: str, scheme: str, threads: int, dataset, size, args) -> list[dict]:
    """A row for each stage of one network and scheme against both baselines."""
    settings, heavy = schemes(name)[scheme], scheme == 'MS'
    pairs = [('mmseg', 'ours'), ('naive', 'ours')]
    if name != 'unet_r101d':  # the naive procedure works in windows, as that network's settings do
        pairs.append(('naive', 'ours in windows'))
    elif heavy and args.quick:
        pairs.pop()  # alone it takes longer than a quick run may
    sides = {kind: side(kind, name, settings, dataset, args.device)
             for kind in dict.fromkeys(kind for pair in pairs for kind in pair)}
    turns = 1 if heavy and args.quick else 3 if heavy or args.quick else 5
    times = by_turns(sides, turns, args.device)
    label = f'{name} {scheme} {size[1]}x{size[0]}, {threads} thread{"s" if threads > 1 else ""}'
    return [row(f'{label}, {stage}: {kind} / {own}', times[kind][stage], times[own][stage],
                network=name, scheme=scheme, threads=threads, stage=stage, against=kind,
                own=own, cores=[times[kind]['cores'], times[own]['cores']])
            for kind, own in pairs for stage in STAGES]


def confusion(dataset, size, args) -> dict:
    """Our exact matrix against three float histograms; ours gives it all, the peer areas only."""
    label = torch.from_numpy(load_label(dataset.get_data_info(0)['seg_map_path'])).to(args.device)
    pred = torch.where(torch.rand(size, device=args.device) < 0.8, label, (label + 1) % CLASSES)
    pred = pred.clamp(max=CLASSES - 1)
    # The peer's test step hands its metric int64, as argmax gives them; ours hands on uint8.
    wide_pred, wide_label = pred.long(), label.long()
    hits, _, preds, labels = intersect_and_union(wide_pred, wide_label)
    matrix = confusion_matrix(pred, label, CLASSES).cpu()
    for areas, ours in ((hits, matrix.diag()), (preds, matrix.sum(0)), (labels, matrix.sum(1))):
        if not torch.equal(areas.long(), ours):
            raise RuntimeError('Baseline and ours count differently.')
    times = measure({'baseline': lambda: intersect_and_union(wide_pred, wide_label),
                     'ours': lambda: confusion_matrix(pred, label, CLASSES)},
                    args.device, repeats=7 if args.quick else 31, warmup=2)
    return row(f'confusion matrix {size[1]}x{size[0]}: mmseg / ours', times['baseline'],
               times['ours'], stage='confusion matrix', against='mmseg')


def second_upsampling(dataset, size, device: str) -> dict:
    """Labels that differ when logits go to the network's input first, as mmsegmentation's do."""
    labels = []
    for upsample in ('once', 'twice'):
        cfg = {**schemes(ALMOST_FREE)['MS'], 'upsample': upsample}
        way = side('ours', ALMOST_FREE, cfg, dataset, device).way
        labels.append(way.predict(way.read(0)).pred_sem_seg.data)
    changed = 100 * float((labels[0] != labels[1]).float().mean())
    return figure(f'labels that a second upsampling changes, MS {size[1]}x{size[0]}', changed, '%')


def floors(found: list[dict], dataset, args) -> list[dict]:
    """The machine's limits, and the fraction of them that each stage of ours reaches."""
    of_networks = sizes(args)
    size = of_networks[ALMOST_FREE]
    pixels = size[0] * size[1]
    small = dict(num_values=1 << 22, side=512) if pixels < 1 << 18 else {}
    speed = floor.machine(args.device, **small)
    rows = floor.machine_rows(speed)
    for name, own_size in of_networks.items():
        for scheme in schemes(name):
            work = floor.post_process_work(own_size, CLASSES, test_cfg(name, scheme), STRIDE[name])
            rows.append(floor.floor_row(f'{name} {scheme} post-process', *work,
                                        _find(found, 'post-process', scheme, name)['ours'], speed))
    counted = next(one['ours'] for one in found if one.get('stage') == 'confusion matrix')
    rows.append(floor.floor_row('confusion matrix', 2 * pixels, pixels, counted, speed))
    image = Path(dataset.get_data_info(0)['img_path'])
    rows.append(row('floor / ours: SS read (floor: zlib on the pixels)', floor.inflate_ms(image),
                    _find(found, 'read', 'SS')['ours']))
    return rows


def peaks(root: Path, dataset, args) -> list[dict]:
    """Peak memory of ours for 2 to 24 augmentations, and of mmsegmentation's for 12."""
    def over(kind, num_augs):
        if args.device == 'cuda':
            return memory.measured_on_gpu(kind, num_augs, dataset)
        return memory.measured(kind, num_augs, root, args.threads or 1)

    peer, rows = over('mmseg', 12), []
    for num_augs in (2, 12) if args.quick and args.device == 'cpu' else memory.AUGMENTATIONS:
        case, ours = f'peak memory over the network, {num_augs} views', over('ours', num_augs)
        more = dict(stage='peak memory', ours_whole=ours['whole'])
        rows.append(row(f'{case}: mmseg / ours', peer['over'], ours['over'], 'MB', **more,
                        baseline_whole=peer['whole']) if num_augs == 12
                    else figure(case, ours['over'], 'MB', **more))
    return rows


def believable(found: list[dict], dataset) -> list[dict]:
    """How the baseline's stages on one thread stand to mmsegmentation's own."""
    info = dataset.get_data_info(0)
    times = credibility.stage_times(Path(info['img_path']), Path(info['seg_map_path']))
    for scheme in ('SS', 'MS'):
        of = {stage: _find(found, stage, scheme)['baseline'] for stage in STAGES}
        times.update({f'{scheme} read': of['read'], f'{scheme} score': of['score'],
                      f'{scheme} model and post-process': of['network'] + of['post-process']})
    peak = next((one['baseline_whole'] for one in found if 'baseline_whole' in one), None)
    return credibility.rows(times, peak)


def _find(found: list[dict], stage: str, scheme: str, name: str = ALMOST_FREE) -> dict:
    """The first row, that of the fewest threads, of a network against mmseg."""
    return next(one for one in found if one.get('network') == name
                and (one['stage'], one['scheme'], one['against']) == (stage, scheme, 'mmseg'))


def run(args):
    on_cuda, rows = args.device == 'cuda', []
    counts = [args.threads] if args.threads else [1] if on_cuda else [1, 2]
    with tempfile.TemporaryDirectory() as folder:
        trees = {}
        for size in dict.fromkeys(sizes(args).values()):
            root = Path(folder, 'x'.join(map(str, size)))
            frames.write_frames(root, size, NUM_FRAMES)
            trees[size] = root, frames.dataset(root)
        for threads in counts:
            set_threads(threads)
            for name, size in sizes(args).items():
                for scheme in schemes(name):
                    rows += compare(name, scheme, threads, trees[size][1], size, args)
        set_threads(counts[0])
        size = sizes(args)[ALMOST_FREE]
        root, dataset = trees[size]
        rows += [confusion(dataset, size, args), second_upsampling(dataset, size, args.device)]
        rows += floors(rows, dataset, args) + peaks(root, dataset, args)
        if not on_cuda:
            rows += believable(rows, dataset)
    return rows + targets.rows(rows)


def report(rows: list[dict]) -> str:
    """What the rows say of the baseline, and of the aims."""
    credible = [one for one in rows if 'within' in one]
    text = credibility.report(credible) + '\n' if credible else ''
    return text + targets.report([one for one in rows if 'reached' in one])


if __name__ == '__main__':
    main(__doc__, run, report=report)
