"""Simulation tests: the packages of this tree on a loop of virtual time."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]
