"""Looks what of the applied settings is not so any more. Pure but for the machine's own reads.

Runs as a child of the agent, which carries neither the schema nor the sections about, and by hand.
What the agent's user may not read is told as such and is no drift.
"""

from typing import Any

from roost_agent.config_apply import plan
from roost_agent.config_apply.looked import Looked
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.sections import SECTIONS
from roost_agent.config_apply.told import Told


def look(told: Told, machine: Machine) -> Looked:
    """Return how a machine is to what root has told of it."""
    found: dict[str, Any] = {}
    unread = {}
    for name in plan.concerned(told.applied, {}):
        try:
            found[name] = SECTIONS[name].read(told.applied[name], {}, machine)
        except OSError as err:
            unread[name] = str(err)
    wanted = {name: told.applied[name] for name in found}
    drift = plan.drift(wanted, found)
    return Looked(
        digest=told.applied_digest,
        drift=drift,
        pending=[*plan.pending(wanted, found), *told.leaving],
        unread=unread,
        reapply=any(name in drift for name in plan.to_reapply(wanted)),
    )
