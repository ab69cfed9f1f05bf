#!/usr/bin/env bash
# Builds the documentation site in site/ and stops at the first warning. Arguments go to mkdocs:
#   bash tools/build_docs.sh                  then open site/index.html
#   bash tools/build_docs.sh --site-dir DIR
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_setup.sh"

help_if_asked 'usage: bash tools/build_docs.sh [arguments of mkdocs build], such as --site-dir DIR; it writes site/' "${1:-}"
set_up runtime fast docs
cd "$ROOT"
# Material's notice on what may come after mkdocs 1 concerns who chooses versions, not who builds.
export NO_MKDOCS_2_WARNING=1
exec "$VENV/bin/python" -m mkdocs build --strict --clean "$@"
