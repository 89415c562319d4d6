"""What the gate draws from: one seed, so that it breaks the same at each run of one tree.

`make prove` draws a fresh one for the whole of each proof. That is where surprises are looked for.
"""

import os
from typing import Final

SEED: Final = int(os.environ.get("ROOST_SEED", "20"))
