#!/usr/bin/env bash
# Tests CHECKPOINT with CONFIG on NPROC processes of this machine: one GPU each, or CPU processes where there
# is none. NNODES, NODE_RANK, MASTER_ADDR and PORT, read by segplug.cli.launch, join several machines.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

case "${3:-}" in
    '' | *[!0-9]*) fail 'usage: [NNODES=n NODE_RANK=i MASTER_ADDR=host PORT=p] bash tools/dist_test.sh CONFIG CHECKPOINT NPROC [arguments of tools/test.py]' 2 ;;
esac

export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
exec "$(project_python)" -m segplug.cli.launch --nproc "$3" \
    "$ROOT/tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"
