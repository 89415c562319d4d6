"""Whether the box in a slot may be at work: then it is replaced for a reason only, either way."""

from typing import Final

from roost_central.enrol.refused import RefusedError
from roost_central.fleet.view import FleetView

SILENT_MS_MIN: Final = 900_000  # a box that was heard later may be at work


def silent_ms(view: FleetView, slot: str, now_ms: int) -> int | None:
    """Return for how long the box in a slot was not heard; None: never."""
    row = view.nodes.get(slot)
    return None if row is None or row.heard_ms is None else now_ms - row.heard_ms


def check_silence(silent_ms: int | None, reason: str) -> None:
    """Refuse to take the place of a box that may be at work, where nobody said why.

    Raises:
        RefusedError: ``heard``.
    """
    if silent_ms is not None and silent_ms < SILENT_MS_MIN and not reason:
        seconds = silent_ms // 1000
        hint = "turn it off, or say why with a reason"
        raise RefusedError("heard", f"its box was heard {seconds} s ago: {hint}")
