#!/usr/bin/env bash
# Sets the checkout up where it is not, then runs the tests in it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

arguments=()
for argument in "$@"; do
    case "$argument" in
        -h | --help)
            echo 'usage: bash tools/run_tests.sh [--slow] [pytest arguments]'
            exit 0
            ;;
        # An empty -m takes the place of setup.cfg's -m "not slow".
        --slow) arguments=(-m '' ${arguments[@]+"${arguments[@]}"}) ;;
        *) arguments+=("$argument") ;;
    esac
done

set_up runtime fast tests
cd "$ROOT"
say 'Running the tests'
exec "$VENV/bin/python" -m pytest ${arguments[@]+"${arguments[@]}"}
