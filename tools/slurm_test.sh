#!/usr/bin/env bash
# Tests CHECKPOINT with CONFIG on GPUS processes of a slurm partition. GPUS (4), GPUS_PER_NODE (4), CPUS_PER_TASK (5)
# and SRUN_ARGS come from the environment; GPUS_PER_NODE=0 asks for no GPU and needs TASKS_PER_NODE.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

USAGE='usage: bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]
environment: GPUS, GPUS_PER_NODE, TASKS_PER_NODE, CPUS_PER_TASK, SRUN_ARGS (docs/how-to/several-machines.md)'

help_if_asked "$USAGE" "${1:-}"
[ $# -ge 4 ] || fail "$USAGE" 2
on_slurm "$1" "$2" "$ROOT/tools/test.py" "${@:3}" --launcher slurm
