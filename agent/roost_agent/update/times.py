"""Whether a job may go in at this moment, by this node: its time, its windows, its clock. Pure.

A plan's window and that of the node's own profile both have to be open: no order of the centre
lifts the second. Without either it is for any time, and goes by no clock. Design, updates.md
sections 5 and 7.
"""

from roost_agent.moment import shown
from roost_agent.update.kept import Hold
from roost_agent.update.openings import Openings
from roost_protocol.errors import ProtocolError
from roost_protocol.update import Offer
from roost_protocol.window import Window


def closed(
    offer: Offer, wall_ms: int, distrust: str, own: Window | None = None,
    openings: Openings | None = None,
) -> str:  # fmt: skip
    """Return why nothing may go in now by the job's times; empty: it may.

    Args:
        offer: with its window.
        wall_ms: UTC, as far as the node knows it.
        distrust: why its clock opens no window; empty: it may.
        own: the window of the node's profile; None: it has none.
        openings: what is known of its windows, for who asks often; None: nothing is.
    """
    if wall_ms < offer.not_before_ms:
        return f"its time begins at {shown(offer.not_before_ms)}"
    windows = tuple(each for each in (offer.window, own) if each is not None)
    if not windows:
        return ""
    unsure = f"clock: {distrust}" if distrust else ""
    try:
        opens_ms = (openings or Openings()).of(windows, wall_ms).at(wall_ms)
    except ProtocolError as err:
        return f"{_which(offer, own)} cannot be judged here: {err}"
    if opens_ms == wall_ms:
        return f"{unsure}, so no window counts as open" if unsure else ""
    told = _told(offer, own, opens_ms)
    return f"{told}, if its clock is right by then; {unsure}" if unsure else told


def _told(offer: Offer, own: Window | None, opens_ms: int | None) -> str:
    """Return when it may go in, and what helps where that is never."""
    if opens_ms is None:
        return "the plan's window and that of its profile are never open together: change one"
    opens = "opens" if offer.window is None or own is None else "are open together"
    told = f"{_which(offer, own)} {opens} at {shown(opens_ms)}"
    if opens_ms < offer.not_after_ms:
        return told
    ends = shown(offer.not_after_ms)
    return (
        f"{told}, after the job's time ends at {ends}: say a longer deadline_h, or a window before"
    )


def _which(offer: Offer, own: Window | None) -> str:
    if own is None:
        return "the window"
    whose = "the window of its profile (update-window)"
    return whose if offer.window is None else f"the plan's window with {whose}"


def held(hold: Hold | None) -> str:
    """Return until when a person holds this node, and why; empty: nobody does."""
    return "" if hold is None else f"until {shown(hold.until_ms)}: {hold.why}"
