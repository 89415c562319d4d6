"""Makes the bench's modules importable, as its command does."""

import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"

for folder in (BENCH, BENCH.parent / "support"):
    sys.path.insert(0, str(folder))
