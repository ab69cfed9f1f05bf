"""Makes tools/docs_site importable; last, as tools/test.py has the name of a standard package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / 'tools'))
