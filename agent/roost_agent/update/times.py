"""Whether a job may go in at this moment, by this node: its time, its window, its clock. Pure.

A plan without a window is for any time: it goes by no clock. Design, updates.md section 5.
"""

from datetime import UTC, datetime

from roost_agent.update.kept import Hold
from roost_protocol.errors import ProtocolError
from roost_protocol.update import Offer
from roost_protocol.window import next_start_ms, open_until_ms


def closed(offer: Offer, wall_ms: int, distrust: str) -> str:
    """Return why nothing may go in now by the job's times; empty: it may.

    Args:
        offer: with its window.
        wall_ms: UTC, as far as the node knows it.
        distrust: why its clock opens no window; empty: it may.
    """
    if wall_ms < offer.not_before_ms:
        return f"its time begins at {shown(offer.not_before_ms)}"
    if offer.window is None:
        return ""
    unsure = f"clock: {distrust}" if distrust else ""
    try:
        if open_until_ms(offer.window, wall_ms) is not None:
            return f"{unsure}, so no window counts as open" if unsure else ""
        told = f"the window opens at {shown(next_start_ms(offer.window, wall_ms))}"
    except ProtocolError as err:
        return f"the window cannot be judged here: {err}"
    return f"{told}, if its clock is right by then; {unsure}" if unsure else told


def held(hold: Hold | None) -> str:
    """Return until when a person holds this node, and why; empty: nobody does."""
    return "" if hold is None else f"until {shown(hold.until_ms)}: {hold.why}"


def shown(at_ms: int) -> str:
    """Return a moment for people."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
