#!/usr/bin/env bash
# Runs the tests on onedl-mmengine and onedl-mmcv, the maintained forks of mmengine and mmcv, in an
# environment of its own: the import names are the same, so the forks cannot stand beside the originals.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"
VENV="$ROOT/.venv-forks"

make_venv
others="$VENV/requirements.txt"
grep -hvE '^(mmengine|mmcv-lite)\b' "$ROOT"/requirements/{runtime,tests}.txt >"$others"
say "Installing the forks and the packages of requirements/ in $VENV"
pip_install --quiet setuptools wheel
# onedl-mmcv is built in pip's isolated environment, which has no torch: then it compiles no ops.
pip_install --quiet onedl-mmengine onedl-mmcv -r "$others"
pip_install --quiet --no-deps --no-build-isolation --use-pep517 --editable "$ROOT"
cd "$ROOT"
say 'Running the tests on the forks'
exec "$VENV/bin/python" -m pytest "$@"
