"""Finds the networks that are drawn."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / "support"))
