#!/usr/bin/env bash
# Tests CHECKPOINT with CONFIG on NPROC processes of this machine: one GPU each, or CPU processes where there
# is none. NNODES, NODE_RANK, MASTER_ADDR and PORT, read by segplug.cli.launch, join several machines.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

USAGE='usage: bash tools/dist_test.sh CONFIG CHECKPOINT NPROC [arguments of tools/test.py]
environment: NNODES, NODE_RANK, MASTER_ADDR, PORT, JOIN_TIMEOUT, MAX_RESTARTS (docs/how-to/several-machines.md)'

help_if_asked "$USAGE" "${1:-}"
case "${3:-}" in
    '' | *[!0-9]*) fail "$USAGE" 2 ;;
esac

export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
exec "$(project_python)" -m segplug.cli.launch --nproc "$3" \
    "$ROOT/tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"
