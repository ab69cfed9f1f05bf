#!/usr/bin/env bash
# From a fresh checkout to predicted street scenes: sets up .venv, draws a mini Cityscapes, trains a
# small UNet on two processes with SyncBN (one GPU process where there is a GPU), tests it
# single-scale and multi-scale, and writes a report. About ten minutes on two cores. Running it
# again trains anew.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

USAGE='usage: bash tools/quickstart.sh (no arguments; it writes data/minicity and work_dirs/quickstart)'

help_if_asked "$USAGE" "${1:-}"
[ $# -eq 0 ] || fail "$USAGE" 2

CONFIG=configs/unet/unet_r18_minicity.py
WORK=work_dirs/quickstart

set_up runtime fast
cd "$ROOT"
python="$VENV/bin/python"
nproc="$("$python" -c 'import torch; print(1 if torch.cuda.is_available() else 2)')"

say 'Drawing mini Cityscapes in data/minicity'
"$python" tools/dataset_converters/minicity.py data/minicity --train 300 --val 60 --test 10 \
    --size 256x128 --seed 0

say "Training $CONFIG (processes: $nproc)"
rm -rf "$WORK"
bash tools/dist_train.sh "$CONFIG" "$nproc" --work-dir "$WORK"
checkpoint="$(cat "$WORK/last_checkpoint")"

say 'Testing, single-scale'
bash tools/dist_test.sh "$CONFIG" "$checkpoint" "$nproc" --work-dir "$WORK" --out "$WORK/ss"

say 'Testing, multi-scale and flip'
bash tools/dist_test.sh "$CONFIG" "$checkpoint" "$nproc" --work-dir "$WORK" --out "$WORK/ms" --aug-test

say 'Colouring predictions'
"$python" tools/predict.py "$CONFIG" "$checkpoint" data/minicity/leftImg8bit/val/*/ \
    --out "$WORK/pictures"

say 'Writing the report'
report="$("$python" -m segplug.cli.main report "$WORK/ss" --out "$WORK/report.html")"

say 'Done'
"$python" - "$WORK" <<'PYTHON'
import json
import pathlib
import sys

work = pathlib.Path(sys.argv[1])
ss, ms = (json.loads((work / name / 'metrics.json').read_text()) for name in ('ss', 'ms'))
print(f'{"IoU, percent":<16}{"single-scale":>14}{"multi-scale":>14}')
for key in ss:
    if key.startswith('IoU.'):
        cells = (f'{"-" if m[key] is None else format(m[key], ".2f"):>14}' for m in (ss, ms))
        print(f'{key[4:]:<16}{"".join(cells)}')
print(f'{"mIoU":<16}{ss["mIoU"]:>14.2f}{ms["mIoU"]:>14.2f}')
PYTHON
printf '\nPredicted label maps: %s and %s\nPredictions over their images: %s\nTrained weights: %s\n' \
    "$ROOT/$WORK/ss/predictions" "$ROOT/$WORK/ms/predictions" "$ROOT/$WORK/pictures/overlays" "$checkpoint"
printf '\nThe report, with all of this on one page; open it in a browser:\n%s\n' "$report"
