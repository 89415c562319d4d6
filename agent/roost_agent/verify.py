"""``roost-agent verify``: what is judged by signatures, each in a child of its own that exits."""

import importlib
from typing import Final

OTHERS: Final = "roost_agent.trust.command"
MODES: Final = {"order": "roost_agent.orders.verify"}


def run(argv: list[str]) -> int:
    """Hand over to the module of a mode, which alone is imported; return its exit status."""
    module = importlib.import_module(MODES.get(argv[0] if argv else "", OTHERS))
    status: int = module.run(argv)
    return status
