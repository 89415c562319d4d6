"""Faults on purpose: the rigs of the proofs, run for moments."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "prove")]
