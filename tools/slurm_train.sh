#!/usr/bin/env bash
# Trains CONFIG on GPUS processes of a slurm partition. GPUS (4), GPUS_PER_NODE (4), CPUS_PER_TASK (5) and
# SRUN_ARGS come from the environment; GPUS_PER_NODE=0 asks for no GPU and needs TASKS_PER_NODE.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

USAGE='usage: bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]
environment: GPUS, GPUS_PER_NODE, TASKS_PER_NODE, CPUS_PER_TASK, SRUN_ARGS (docs/how-to/several-machines.md)'

help_if_asked "$USAGE" "${1:-}"
[ $# -ge 3 ] || fail "$USAGE" 2
on_slurm "$1" "$2" "$ROOT/tools/train.py" "${@:3}" --launcher slurm
