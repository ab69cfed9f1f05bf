"""CamVid from random weights on this machine: trains configs/unet/unet_r18_camvid.py, tests it
single-scale and multi-scale, and keeps log, scores and machine in one folder.

    python benchmarks/camvid.py --data-root CAMVID --out benchmarks/results/2026-01-31-camvid

About half an hour on two cores. `--trained WORK_DIR` takes a training that ended already.
"""

import argparse
import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from common import ROOT, environment, write_json

CONFIG = 'configs/unet/unet_r18_camvid.py'


def shell(*words: str) -> None:
    """Run a script of tools/ from the checkout; a failure ends everything."""
    subprocess.run(['bash', *words], cwd=ROOT, check=True)


def minutes(log: str) -> float:
    """From the first to the last time in an mmengine log."""
    times = re.findall(r'^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) - ', log, re.MULTILINE)
    first, last = (datetime.strptime(t, '%Y/%m/%d %H:%M:%S') for t in (times[0], times[-1]))
    return (last - first).total_seconds() / 60


def without_places(log: str, *places: tuple[Path, str]) -> str:
    """The log with this machine's folders replaced by what they are, and without torch's list of
    compiler flags, which names those of its builder."""
    log = re.sub(r'^  - Build settings: .*\n', '', log, flags=re.MULTILINE)
    for path, name in places:
        log = log.replace(str(path.resolve()), name).replace(str(path), name)
    return log


def score_table(single: dict, multi: dict) -> str:
    """IoU per class of the two tests as a Markdown table."""
    lines = ['| IoU, percent | single-scale | multi-scale |', '|---|---:|---:|']
    keys = ['mIoU', 'mAcc', 'aAcc', *(k for k in single if k.startswith('IoU.'))]
    lines += [f'| {key.removeprefix("IoU.")} | {single[key]:.2f} | {multi[key]:.2f} |'
              for key in keys]
    return '\n'.join(lines) + '\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data-root', required=True, type=Path, help='folder of CamVid')
    parser.add_argument('--out', required=True, type=Path, help='folder for the result')
    parser.add_argument('--nproc', default='2', help='processes (default 2)')
    parser.add_argument('--work-dir', type=Path, default=ROOT / 'work_dirs' / 'camvid')
    parser.add_argument('--trained', type=Path, help='work directory of a training that ended')
    args = parser.parse_args()

    data, work = str(args.data_root.resolve()), (args.trained or args.work_dir).resolve()
    if args.trained is None:
        shell('tools/dist_train.sh', CONFIG, args.nproc, '--amp', '--data-root', data,
              '--work-dir', str(work))
    checkpoint = (work / 'last_checkpoint').read_text().strip()
    log = max(work.glob('*/*.log'), key=lambda path: path.stat().st_mtime).read_text()
    scores = {}
    for name, flags in (('single-scale', []), ('multi-scale', ['--aug-test'])):
        out = work / name
        shell('tools/dist_test.sh', CONFIG, checkpoint, args.nproc, '--data-root', data, '--out',
              str(out), '--work-dir', str(work / f'{name}-log'), *flags)
        scores[name] = json.loads((out / 'metrics.json').read_text())

    args.out.mkdir(parents=True, exist_ok=True)
    places = ((work, 'WORK_DIR'), (args.data_root, 'CAMVID'), (ROOT, 'CHECKOUT'),
              (Path(sys.prefix), 'VENV'), (Path(sys.base_prefix), 'PYTHON'))
    (args.out / 'train.log').write_text(without_places(log, *places))
    (args.out / 'table.md').write_text(score_table(*scores.values()))
    write_json(args.out / 'result.json', dict(
        config=CONFIG, processes=int(args.nproc), amp='bf16', training_minutes=minutes(log),
        scores=scores, environment=environment('cpu')))
    print((args.out / 'table.md').read_text())


if __name__ == '__main__':
    main()
