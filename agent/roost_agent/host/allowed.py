"""Which act on this host is allowed now, and why not: by its state and what its site is. Pure.

Each refusal names what blocks, and what to do next. What force breaks is said in the table of
docs/hosts.md; no rule of the lease is among it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from roost_agent.host import transitions as tr
from roost_agent.host.act import FORCE_LOCK, ActRefusedError, Wanted
from roost_agent.host.around import Giving
from roost_agent.host.transitions import Triple
from roost_protocol.host import Admin

AGAIN: Final = "look at roost-agent host show, and order it again"


class Situation(msgspec.Struct, frozen=True):
    """What counts.

    Attributes:
        state: of this host.
        others: the site's other hosts, by name.
        serving: those of them that are enabled, as far as this node hears.
        held: the groups that run here.
        states: of the other hosts, by name.
        may_go: why the site cannot spare this node, by local HA; empty: it can.
        unsettled: why its settings are not as they should be.
        others_in_words: how the others stand.
    """

    state: Triple
    others: Sequence[str] = ()
    serving: Sequence[str] = ()
    held: Sequence[Giving] = ()
    states: Mapping[str, Triple] | None = None
    may_go: str = ""
    unsettled: str = ""
    others_in_words: str = ""


def refuse(wanted: Wanted, now: Situation) -> None:
    """Let pass what is allowed.

    Raises:
        ActRefusedError: it is not.
    """
    if wanted.node:
        return  # the coordinator knows (shell)
    state = tr.in_words(now.state)
    if wanted.expect and wanted.expect != state:
        raise ActRefusedError(
            "expect", f"it was decided on {wanted.expect}, and the host is {state}: {AGAIN}"
        )
    match wanted.verb:
        case "host-lock" | "host-force-lock":
            _lock(wanted, now)
        case "host-unlock":
            _unlock(wanted, now)
        case "host-swact":
            _swact(wanted, now)
        case "host-reboot":
            _reboot(wanted, now)
        case "host-recover" if now.state != tr.FAILED:
            raise ActRefusedError("state", f"only a host that failed recovers; it is {state}")
        case "host-recover" | "host-maintenance":
            pass
        case _:
            raise ActRefusedError("verb", f"{wanted.verb} is no act of a host on itself")


def _lock(wanted: Wanted, now: Situation) -> None:
    if now.state[0] is Admin.LOCKED:
        raise ActRefusedError("state", "the host is locked already")
    if wanted.verb == FORCE_LOCK:
        return
    if now.state != tr.FAILED and not now.serving:
        raise ActRefusedError("last-host", _last(now))
    if now.may_go:
        raise ActRefusedError("ha", f"its site cannot spare it now: {now.may_go}; {_or_force()}")
    _refuse_worse(wanted, now)


def nobody(each: Giving) -> str:
    """Return that nobody could take a group, and why."""
    return f"{each.group} runs here and nobody could take it: {each.why}"


def _last(now: Situation) -> str:
    if not now.others:
        return f"it is the only host, and what runs here would stop; {_or_force()}"
    return (
        f"no other host of the site is enabled ({now.others_in_words}): unlock or mend one of them"
        f" first; {_or_force()}"
    )


def _or_force() -> str:
    return "if it may stop: force-lock"


def _refuse_worse(wanted: Wanted, now: Situation) -> None:
    """Refuse to give a group to nobody, or to a host that is degraded."""
    for each in now.held:
        if not each.to:
            raise ActRefusedError("ha", nobody(each))
        state = (now.states or {}).get(each.to)
        if state == tr.DEGRADED and not wanted.force:
            raise ActRefusedError(
                "degraded",
                f"{each.group} would go to {each.to}, which is degraded: mend it first, or --force",
            )


def _unlock(wanted: Wanted, now: Situation) -> None:
    if now.state != tr.LOCKED_ONLINE:
        raise ActRefusedError(
            "state", f"only a locked host is unlocked; it is {tr.in_words(now.state)}"
        )
    if now.unsettled and not wanted.force:
        raise ActRefusedError("config", f"{now.unsettled}: mend that first, or --force")


def _swact(wanted: Wanted, now: Situation) -> None:
    if now.state not in tr.ENABLED:
        raise ActRefusedError(
            "state", f"only an enabled host gives away; it is {tr.in_words(now.state)}"
        )
    if not now.held:
        raise ActRefusedError("nothing", "no group that fails over is active on this host")
    _refuse_worse(wanted, now)


def _reboot(wanted: Wanted, now: Situation) -> None:
    if now.state[0] is Admin.UNLOCKED and not wanted.force:
        raise ActRefusedError(
            "state", "the host is unlocked: lock it first, or --force where its site can spare it"
        )
    if now.may_go:
        raise ActRefusedError("ha", f"its site cannot spare it now: {now.may_go}")
