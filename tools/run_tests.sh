#!/usr/bin/env bash
# Sets the checkout up where it is not, then runs the tests in it. With other versions than the
# tested ones it does so in an environment of their own, such as .venv-forks or .venv-torch2.4.1.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"
USAGE='usage: bash tools/run_tests.sh [--slow] [--forks] [--torch VERSION] [--python PYTHON] [pytest arguments]'

# The maintained forks have the import names of the originals, so they cannot stand beside them.
use_forks() {
    VENV="$VENV-forks"
    WITHOUT="${WITHOUT:+$WITHOUT|}mmengine|mmcv-lite"
    # onedl-mmcv is built in pip's isolated environment, which has no torch: then it compiles no ops.
    ALSO+=(onedl-mmengine onedl-mmcv)
}

# Some releases of torch ask for one version of sympy, or for a setuptools older than the tested one.
use_torch() {
    VENV="$VENV-torch$1"
    WITHOUT="${WITHOUT:+$WITHOUT|}torch"
    UNPINNED='torch|sympy|setuptools'
    ALSO+=("torch==$1")
}

use_python() {
    is_new_enough "$1" || fail "segplug needs Python 3.10 or newer, and $1 is none ($("$1" -V 2>&1 || true))."
    PYTHON="$1"
    VENV="$VENV-python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
}

help_if_asked "$USAGE" "${1:-}"
arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
        # An empty -m takes the place of setup.cfg's -m "not slow".
        --slow) arguments=(-m '' ${arguments[@]+"${arguments[@]}"}) ;;
        --forks) use_forks ;;
        --torch | --python)
            [ $# -gt 1 ] || fail "$USAGE" 2
            "use_${1#--}" "$2"
            shift
            ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

set_up runtime fast tests
cd "$ROOT"
say 'Running the tests'
# Two at a time, file by file; SEGPLUG_TEST_PROCESSES=0 runs them in this process, as --pdb does.
exec "$VENV/bin/python" -m pytest -n "${SEGPLUG_TEST_PROCESSES:-2}" --dist loadfile \
    ${arguments[@]+"${arguments[@]}"}
