"""Why another host stands as it does, in a sentence of who watches it: what was seen of it. Pure.

Its own sentences stay on its disk (record 33): its beats say state, stage and reasons.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from roost_agent.host import transitions as tr
from roost_protocol.catalogue import cut
from roost_protocol.host import Admin

if TYPE_CHECKING:
    from roost_agent.host.sight import Sight


def lost(ticks: int, ways: tuple[str, ...]) -> str:
    """Return why a host in service is failed; the centre knows it by its first words."""
    return cut(f"its heartbeat is lost for {ticks} ticks{_on_every(ways)}")


def silent(ticks: int, ways: tuple[str, ...]) -> str:
    """Return why a host is degraded that was not heard for a while."""
    return cut(f"silent for {ticks} ticks{_on_every(ways)}")


def power(*, is_on: bool) -> str:
    """Return why a host that is silent has power, or has none."""
    if is_on:
        return "its board controller reads On again, and it is not heard yet"
    return "its board controller reads Off, twice"


def own_word(sight: "Sight") -> str:
    """Return what a host that speaks says of itself."""
    state = sight.told
    stage = sight.stage or "a stage that is not known here"
    reasons = ", ".join(sorted(sight.reasons))
    if state is None:
        return "it does not say how it stands"
    if state[0] is Admin.LOCKED:
        return "it says that it is locked"
    if state == tr.INTEST:
        return f"it says that it is being enabled: {stage}"
    if state == tr.FAILED:
        return f"it says that it failed: {stage}{f' ({reasons})' if reasons else ''}"
    return f"it says that it is degraded: {reasons}" if reasons else "it says that it is well"


def of_one_that_speaks(sight: "Sight", marks: Mapping[str, str]) -> str:
    """Return what a host says of itself, and what others know of it while it serves."""
    said = own_word(sight)
    more = [f"{reason}: {why}" for reason, why in marks.items() if sight.told in tr.ENABLED]
    return cut("; ".join((said, *more)))


def _on_every(ways: tuple[str, ...]) -> str:
    if not ways:
        return ""
    return f" on {'every path' if len(ways) > 1 else 'its path'}: {', '.join(ways)}"
