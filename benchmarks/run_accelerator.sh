#!/usr/bin/env bash
# The tests that need a GPU, then every benchmark, in at most 9 minutes; a table comes last, and
# benchmarks/results/<date>-<device>.json. Nothing is installed: what is missing may lie on
# PYTHONPATH. Without a GPU the tests are skipped and the benchmarks run at small sizes.
set -uo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PYTHON="${PYTHON:-python3}"
TOTAL=520        # seconds for tests and benchmarks; the table needs a few more
TESTS=180        # of which the tests take at most
export PYTHON PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"

device="$("$PYTHON" -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')" || {
    echo "run_accelerator.sh needs a python with torch; name it with PYTHON=/path/to/python3." >&2
    exit 1
}
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
cd "$ROOT" || exit 1

# step NAME SECONDS COMMAND...: run a command with a time limit and note what came of it.
step() {
    local name="$1" limit="$2" start="$SECONDS" code=0
    shift 2
    printf '\n==> %s (at most %s s)\n' "$name" "$limit"
    timeout --kill-after=5 "$limit" "$@" || code=$?
    printf '%s %s %s\n' "$name" "$code" "$((SECONDS - start))" >>"$results/steps.txt"
}

# -W default: the warnings of another torch than the tested one are no errors.
step gpu_tests "$TESTS" "$PYTHON" -m pytest tests/gpu -q -m gpu -W default -p no:cacheprovider

benchmarks=(benchmarks/bench_*.py)
left="${#benchmarks[@]}"
for file in "${benchmarks[@]}"; do
    name="$(basename "$file" .py)"
    # What is left is shared evenly, so that what one does not use goes to those after it.
    step "$name" "$(((TOTAL - SECONDS) / left))" \
        "$PYTHON" "$file" --device "$device" --quick --out "$results/$name.json"
    left=$((left - 1))
done

printf '\n==> Results\n'
"$PYTHON" benchmarks/collect.py "$results" "$device"
