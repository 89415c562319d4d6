"""Finds the proof and what it stands on."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS / "prove"), str(TESTS / "support")]
