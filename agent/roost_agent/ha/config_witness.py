"""What must hold of a site whose witness is the centre."""

from collections.abc import Iterator
from typing import Final

from roost_agent.ha.config import HaFile, WanWitness
from roost_agent.ha.timing import Timing
from roost_protocol.configuration import WITNESS, WITNESS_NAME

PAIR: Final = 2
ROUND_TRIP_MS: Final = 1_000  # what a request may be old, where its way leads over a WAN


def witness_faults(said: HaFile) -> Iterator[str]:
    """Yield what is wrong between the parts of the file."""
    if len(said.voters) != PAIR:
        yield f'witness: "central": it is the third voter of two, and there are {len(said.voters)}'
    for node in said.nodes:
        if node.index == WITNESS:
            yield f"node[{node.name}].index: {WITNESS} is the number of the witness at the centre"
        if node.name == WITNESS_NAME:
            yield f"node[{node.name}].name: is the name of the witness at the centre"
    for group in said.groups:
        if group.hard_by == "fence":
            yield (
                f'group[{group.name}].hard_by: "fence": a witness at the centre comes and goes by '
                "changes of the voters, which such a group forbids while it runs"
            )


def timing_faults(limits: WanWitness, timing: Timing) -> list[str]:
    """Return what is wrong with the times, one sentence each."""
    faults = []
    if timing.age_ms_max < ROUND_TRIP_MS:
        faults.append(
            f"timing: beat_ms is {timing.beat_ms}: a request to a witness at the centre may be "
            f"{timing.age_ms_max} ms old then, which a WAN may take: {ROUND_TRIP_MS // 2} or more"
        )
    slowest_ms = timing.promise_ms(timing.watchdog_ms) + 2 * limits.probe_ms
    if limits.gone_ms <= slowest_ms:
        faults.append(
            f"wan_witness.gone_s: {limits.gone_s:g}: a witness that restarts is silent for a "
            f"promise and two probes, so more than {slowest_ms / 1000:g}"
        )
    if limits.lost_s < limits.gone_s:
        faults.append(
            f"wan_witness.lost_s: {limits.lost_s:g}: must be gone_s ({limits.gone_s:g}) or more"
        )
    return faults
