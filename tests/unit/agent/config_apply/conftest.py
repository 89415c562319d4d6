"""Where the trees that stand for machines are, and the pen that writes orders."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))
