"""The label guard beside the training step that it guards, which it may slow by at most 1 %.

Every batch's labels are compared with the classes before the losses, so that a wrong value is an
error with a file name and no CUDA assert. `ratio` is how many guards a step is worth: 100 is 1 %.
The last row is the guard against the same question asked plainly, as int32 comparisons.
"""

import torch
from bench_train_step import R18, batch, build
from common import main, measure, row
from mmengine.optim import OptimWrapper

CLASSES, IGNORED, NUM = 19, 255, 2


def plainly(label):
    """The same question by comparing every pixel in a wider type."""
    label = label.int()
    if (((label < 0) | (label >= CLASSES)) & (label != IGNORED)).any():
        raise ValueError('a label is wrong')


def run(args):
    device = torch.device(args.device)
    size = args.size or ((64, 64) if args.quick else (512, 512))
    data = batch(NUM, size)
    for sample in data['data_samples']:
        sample.gt_sem_seg.data[:, :size[0] // 8] = IGNORED
    model = build(R18, args.device).train()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9))
    samples = {dtype: [sample.to(device) for sample in data['data_samples']]
               for dtype in (torch.uint8, torch.int32)}
    for sample in samples[torch.int32]:
        sample.gt_sem_seg.data = sample.gt_sem_seg.data.int()
    guards = {str(dtype).removeprefix('torch.'): lambda some=some: model._check_labels(some)()
              for dtype, some in samples.items()}
    stacked = torch.stack([sample.gt_sem_seg.data for sample in samples[torch.uint8]])
    times = measure({'step': lambda: model.train_step(data, wrapper), **guards,
                     'plainly': lambda: plainly(stacked)}, args.device,
                    repeats=3 if args.quick else 25, warmup=2)
    where = f'batch {NUM}, {size[1]}x{size[0]}'
    return [*(row(f'guard of {dtype} labels, {where} / unet_r18 step', times['step'],
                  times[dtype], percent_of_step=100 * times[dtype] / times['step'])
              for dtype in guards),
            row(f'guard of uint8 labels, {where} / plainly', times['plainly'], times['uint8'])]


if __name__ == '__main__':
    main(__doc__, run)
