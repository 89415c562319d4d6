"""Where a node keeps what it fetched, below the agent's state folder."""

from typing import Final

MIRROR: Final = "updates/mirror"
KNOWN: Final = "updates/known"
