#!/usr/bin/env bash
# Trains CONFIG on NPROC processes of this machine: one GPU each, or CPU processes where there
# is none. NNODES, NODE_RANK, MASTER_ADDR and PORT, read by segplug.cli.launch, join several machines; MAX_RESTARTS and
# JOIN_TIMEOUT (seconds) as well.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

USAGE='usage: bash tools/dist_train.sh CONFIG NPROC [arguments of tools/train.py]
environment: NNODES, NODE_RANK, MASTER_ADDR, PORT, JOIN_TIMEOUT, MAX_RESTARTS (docs/how-to/several-machines.md)'

help_if_asked "$USAGE" "${1:-}"
case "${2:-}" in
    '' | *[!0-9]*) fail "$USAGE" 2 ;;
esac

export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
exec "$(project_python)" -m segplug.cli.launch --nproc "$2" \
    "$ROOT/tools/train.py" "$1" --launcher pytorch "${@:3}"
