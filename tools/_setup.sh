# Sourced by the scripts beside it: where the checkout is, which python it uses, and how it
# is set up. Nothing runs when it is sourced. Installing is skipped when a stamp in the environment
# says that the same requirements, constraints and package metadata were installed before.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
# What set_up leaves out and does not hold to the tested version, as extended regular expressions, and what it adds.
WITHOUT=
UNPINNED=
ALSO=()

say() { printf '\n==> %s\n' "$1"; }

fail() {
    printf '%s\n' "$1" >&2
    exit "${2:-1}"
}

# help_if_asked USAGE ARGUMENT: print the usage and end, where the first argument of a script asks for it.
help_if_asked() {
    case "${2:-}" in
        -h | --help)
            printf '%s\n' "$1"
            exit 0
            ;;
    esac
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

# Print the first python that is new enough. python3 comes first: it is the one that the
# user has activated.
find_python() {
    local name
    for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.10; do
        if is_new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    fail "segplug needs Python 3.10 or newer, and none was found (python3 is: $(python3 -V 2>&1 || true)); install one, or name it with PYTHON=/path/to/python3."
}

# The python of the other commands: PYTHON if set, else that of .venv, else the one on PATH.
project_python() {
    if [ -z "${PYTHON:-}" ] && [ -x "$VENV/bin/python" ]; then
        printf '%s\n' "$VENV/bin/python"
    else
        printf '%s\n' "${PYTHON:-python}"
    fi
}

make_venv() {
    local python
    if [ ! -x "$VENV/bin/python" ]; then
        python="$(find_python)"
        say "Making ${VENV##*/} with $("$python" -V)"
        "$python" -m venv "$VENV" ||
            fail "segplug could not make $VENV; on Debian and Ubuntu, 'apt-get install python3-venv' is what is missing."
    fi
    is_new_enough "$VENV/bin/python" ||
        fail "segplug needs Python 3.10 or newer, and $VENV holds an older one; remove that folder and run this again."
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$VENV/bin/python" -m ensurepip
}

pip_install() {
    "$VENV/bin/python" -m pip install --disable-pip-version-check -c "$VENV/constraints.txt" "$@" ||
        fail "segplug could not install its packages: see pip's message above, check the connection to the package index, and run this again (what was downloaded is kept)."
}

# lines_without NAMES FILE...: requirements files less the packages in NAMES.
lines_without() {
    if [ -n "$1" ]; then
        cat "${@:2}" | grep -vE "^($1)($|[^[:alnum:]._-])"
    else
        cat "${@:2}"
    fi
}

# set_up GROUP...: make $VENV, install requirements/GROUP.txt of each, and the project in editable form.
set_up() {
    local group files=() stamp state
    for group in "$@"; do
        files+=("$ROOT/requirements/$group.txt")
    done
    make_venv
    lines_without "$WITHOUT" "${files[@]}" >"$VENV/requirements.txt"
    if [ ${#ALSO[@]} -gt 0 ]; then
        printf '%s\n' "${ALSO[@]}" >>"$VENV/requirements.txt"
    fi
    lines_without "$UNPINNED" "$ROOT/requirements/constraints.txt" >"$VENV/constraints.txt"
    stamp="$VENV/segplug-$(IFS=-; printf '%s' "$*").stamp"
    state="$ROOT $(cat "$VENV/requirements.txt" "$VENV/constraints.txt" "$ROOT/setup.cfg" "$ROOT/setup.py" | cksum)"
    if [ "$(cat "$stamp" 2>/dev/null)" = "$state" ]; then
        return
    fi
    say "Installing the packages of requirements/: $*"
    pip_install setuptools wheel
    pip_install -r "$VENV/requirements.txt"
    pip_install --no-deps --no-build-isolation --use-pep517 --editable "$ROOT"
    printf '%s\n' "$state" >"$stamp"
}

# on_slurm PARTITION JOB_NAME SCRIPT ARGUMENT...: run SCRIPT on GPUS tasks through srun. When one task fails, srun
# ends the others. SRUN_ARGS stands last, so that it can override all.
on_slurm() {
    local gpus="${GPUS:-4}" per_node="${GPUS_PER_NODE:-4}" tasks_per_node request=() extra=()
    command -v srun >/dev/null || fail 'srun was not found: this script is for machines of a slurm cluster; tools/dist_train.sh and tools/dist_test.sh need none.'
    tasks_per_node="${TASKS_PER_NODE:-$per_node}"
    if [ "$per_node" -gt 0 ]; then
        request+=("--gres=gpu:$per_node")
    fi
    read -ra extra <<<"${SRUN_ARGS:-}"
    export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
    exec srun -p "$1" --job-name="$2" ${request[@]+"${request[@]}"} --ntasks="$gpus" \
        --ntasks-per-node="$tasks_per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
        ${extra[@]+"${extra[@]}"} "$(project_python)" -u "${@:3}"
}
