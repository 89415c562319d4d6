"""What a person on the node may order, checked before it is done: each refusal says why."""

from typing import Any

from roost_agent.control.message import (
    Answer,
    GoDown,
    HaDrill,
    HaDrillResult,
    HaExplain,
    HaMaintenance,
    HaMayGoDown,
    HaRequest,
    HaStatus,
    HaSwitchover,
    HaTakeover,
    HaTestWatchdog,
    HaVoters,
)
from roost_agent.ha import core_events as ev
from roost_agent.ha.bite_test import BiteTests
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.config_voters import voters_faults
from roost_agent.ha.core import Core
from roost_agent.ha.decisions import named
from roost_agent.ha.drill import Drills
from roost_agent.ha.drill_order import DrillRefusedError, planned
from roost_agent.ha.fitness import unfit, unready
from roost_agent.ha.guard_report import BITING
from roost_agent.ha.lease_events import Answer as Answered
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.may_go_down import may_go_down
from roost_agent.ha.member import THERE, MemberState
from roost_agent.ha.proposer_events import Wanted
from roost_agent.ha.report import explained, status
from roost_agent.ha.runtime import Runtime
from roost_protocol.explain import Explain


class OrderRefusedError(Exception):
    """The order is not carried out; says why."""


def answer(runtime: Runtime, request: HaRequest) -> Answer:
    """Do what is asked and say how it went."""
    try:
        return Answer(result=_done(runtime, request))
    except OrderRefusedError as err:
        runtime.refuse(str(err))
        return Answer(error=str(err))


def _done(runtime: Runtime, request: HaRequest) -> dict[str, Any]:  # noqa: PLR0911 - a table
    match request:
        case HaStatus():
            return status(runtime)
        case HaExplain(count):
            return {"explained": explained(runtime, count)}
        case HaSwitchover(group, to, is_forced):
            return _switchover(runtime, group, to, is_forced=is_forced)
        case HaMaintenance(group, seconds):
            return _maintenance(runtime, group, seconds)
        case HaTakeover(group):
            return _takeover(runtime, group)
        case HaDrill() | HaDrillResult():
            return _drill(runtime, request)
        case HaVoters(node, is_added, is_disk_gone):
            return _voters(runtime, node, is_added=is_added, is_disk_gone=is_disk_gone)
        case HaMayGoDown():
            told = may_go_down(runtime.core, runtime.now_ms())
            return {"verdict": told.verdict, "sentence": told.sentence, "moves": dict(told.moves)}
        case HaTestWatchdog(is_confirmed):
            return _test_watchdog(runtime, is_confirmed=is_confirmed)


def _switchover(runtime: Runtime, group: str, to: str | None, *, is_forced: bool) -> dict[str, Any]:
    core = runtime.core
    lease = core.leases[_lease_name(core, group)]
    holder = core.who.node if lease.is_held else lease.holder
    if holder is None:
        raise OrderRefusedError(
            f"{group} runs nowhere, so there is nothing to give: roost-agent ha status on its hosts"
            " says why"
        )
    name = core.name_of(holder)
    if to == name:
        raise OrderRefusedError(f"{to} has {group} already")
    if not lease.is_held:
        raise OrderRefusedError(f"{group} does not run here but on {name}: order it there")
    target = _target(core, group, to, now_ms=None if is_forced else runtime.now_ms())
    told = runtime.tell(ev.Give(group, "switchover ordered on the node", target))
    if told is None or not told.ok:
        raise OrderRefusedError("it stops already" if told is None else told.sentence)
    return {"sentence": f"{told.sentence}; {core.name_of(target)} takes it next"}


def _target(core: Core, group: str, to: str | None, *, now_ms: int | None) -> int:
    """Return who is to have it: the node named, or the first host that could.

    Args:
        core: of this node.
        group: that it runs.
        to: a node's name.
        now_ms: a node that joined a moment ago is none; None: it is one all the same.
    """

    def why_not(host: int) -> str:
        if (why := unfit(core.members, host, group)) or now_ms is None:
            return why
        why = unready(core.members, host, group, now_ms)
        return f"{why} (--force does not wait)" if why else ""

    hosts = [host for host in core.hosts[group] if host != core.who.node]
    if to is not None:
        index = {node.name: node.index for node in core.config.nodes}.get(to)
        if index not in hosts or index is None:
            names = ", ".join(core.name_of(host) for host in hosts)
            raise OrderRefusedError(f"{to} cannot have {group}; its other hosts: {names}")
        if why := why_not(index):
            raise OrderRefusedError(f"{to} cannot have {group}: {why}")
        return index
    reasons = []
    for host in hosts:
        if not (why := why_not(host)):
            return host
        reasons.append(f"{core.name_of(host)}: {why}")
    raise OrderRefusedError(f"nobody can have {group}: {'; '.join(reasons)}")


def _maintenance(runtime: Runtime, group: str, seconds: int) -> dict[str, Any]:
    core = runtime.core
    name = _lease_name(core, group)
    if not core.me_hosts(name):
        hosts = ", ".join(core.name_of(host) for host in core.hosts[name])
        raise OrderRefusedError(f"this node is no host of {group}; order it on one: {hosts}")
    if not seconds and name not in core.candidacy.paused:
        raise OrderRefusedError(f"{group} is not in maintenance on this node")
    until_ms = runtime.now_ms() + seconds * 1000 if seconds else None
    runtime.tell(ev.Pause(name, until_ms))
    told = _maintained(core, group, seconds)
    if seconds:
        told += f". The node itself may go down: {may_go_down(core, runtime.now_ms()).sentence}"
    return {"sentence": told}


def _maintained(core: Core, group: str, seconds: int) -> str:
    """Return what a maintenance means for the group where it is now."""
    if not seconds:
        return f"maintenance of {group} on this node ended"
    begun = f"maintenance of {group} on this node for {seconds} s"
    if core.leases[group].is_held:
        return (
            f"{begun}: it goes on running here, and its services are neither watched nor restarted."
            f" If it leaves, it does not come back before the end. To have it run elsewhere"
            f" meanwhile: roost-agent ha switchover {group}"
        )
    return f"{begun}: it does not come here, also not if its other hosts fail"


def _takeover(runtime: Runtime, group: str) -> dict[str, Any]:
    """Take an operator's word for the other voters' death, unless something contradicts it."""
    core = runtime.core
    name = _lease_name(core, group)
    if core.leases[name].is_held:
        raise OrderRefusedError(f"{group} runs here already")
    if core.who.node not in core.hosts[name]:
        raise OrderRefusedError(f"this node is no host of {group}")
    _refuse_where_no_word_counts(core, group)
    others = [voter for voter in core.electorate.voters if voter != core.who.node]
    for node in others:
        if why := _not_dead(core, group, node, runtime.now_ms()):
            raise OrderRefusedError(why)
        fencing = runtime.shells.fencing
        if fencing is not None and fencing.reads_on(node):
            raise OrderRefusedError(
                f"{core.name_of(node)} has power, says its fence: switch it off first"
            )
        if node not in core.provable:
            raise OrderRefusedError(
                f"{core.name_of(node)} may be under other voters than this node: a change of the "
                "voters is not through"
            )
    for node in others:
        for boot in core.boots_of(node):
            runtime.tell(ev.Proven(node, "an operator's word on this node", boot))
    names = ", ".join(core.name_of(node) for node in others)
    return {"sentence": f"{names} counts as off; this node takes what they leave"}


def _refuse_where_no_word_counts(core: Core, group: str) -> None:
    if not core.electorate.sticky:
        raise OrderRefusedError(
            f"{group} needs no proof: its lease ends by itself, and a majority gives it away"
        )
    if core.config.starts_alone:
        raise OrderRefusedError(
            f"{group} moves by the word of its last holder alone (cold_start_alone ="
            ' "last_holder"), which may start without this node. If it is gone for good: an ha.toml'
            " with this node as its only voter, here"
        )


def _not_dead(core: Core, group: str, node: int, now_ms: int) -> str:
    """Return why a voter cannot be off, or cannot be told to be; empty: it may be."""
    name, state = core.name_of(node), core.members.state(node)
    age_ms = core.fresh.age_ms(node, now_ms)
    heard = "never heard by this agent" if age_ms is None else f"heard {age_ms / 1000:.1f} s ago"
    if state in {MemberState.LOST, MemberState.LEFT}:
        return ""
    if state is MemberState.FENCED:
        return f"{name} counts as off already"
    if state in THERE:
        return (
            f"{name} runs, {heard}: order `roost-agent ha switchover {group}` on it, or switch it"
            " off first"
        )
    return (
        f"{name} was {heard}, and is not taken for dead yet: the fault may be this node's own"
        " paths. Once it is off and `roost-agent ha status` here says lost of it, say this again"
    )


def _test_watchdog(runtime: Runtime, *, is_confirmed: bool) -> dict[str, Any]:
    """Have the watchdog reset this node, where nothing needs it."""
    report, bites = runtime.guard_report, runtime.shells.bites
    if report is None or not isinstance(bites, BiteTests):
        raise OrderRefusedError("no guard answers on this node: roost-agent ha check says how")
    if not report.watchdog_ms:
        raise OrderRefusedError(f"the guard has no watchdog that could bite: {report.watchdog}")
    if report.bite == BITING:
        raise OrderRefusedError("it is tested just now")
    may = may_go_down(runtime.core, runtime.now_ms())
    if may.verdict is not GoDown.YES:
        raise OrderRefusedError(f"this node is not to go down now: {may.sentence}")
    what = (
        f"the guard stops to feed {report.hardware or 'the watchdog'}, which resets this machine"
        f" within {report.watchdog_ms / 1000:g} s, without a shutdown; should it not, it is fed"
        " again and hard groups do not run here"
    )
    if not is_confirmed:
        raise OrderRefusedError(f"{what}. If that may be: --confirm-reset")
    bites.begin(report)
    return {"sentence": f"{what}. Afterwards roost-agent ha status says what came of it"}


def _drill(runtime: Runtime, request: HaDrill | HaDrillResult) -> dict[str, Any]:
    """Begin a drill, or say how it goes."""
    drills = runtime.shells.drills
    if not isinstance(drills, Drills) or not runtime.core.leases:
        raise OrderRefusedError("local HA only starts: its first write is not on disk yet")
    if isinstance(request, HaDrillResult):
        if drills.latest is None:
            raise OrderRefusedError("there was no drill since the agent's start")
        return drills.latest.result(runtime.now_ms()) | {"sentence": drills.latest.sentence()}
    if drills.is_on:
        raise OrderRefusedError("a drill is on: one at a time")
    try:
        plan = planned(runtime.core, request, has_broker=runtime.shells.broker is not None)
    except DrillRefusedError as err:
        raise OrderRefusedError(str(err)) from err
    drills.begin(runtime, plan)
    return {"sentence": f"{plan.what} for {plan.seconds} s", "seconds": plan.seconds}


def _voters(runtime: Runtime, node: str, *, is_added: bool, is_disk_gone: bool) -> dict[str, Any]:
    """Have the voters changed, by the node that holds the built-in lease."""
    core = runtime.core
    index = {each.name: each.index for each in core.config.nodes}.get(node)
    if index is None:
        raise OrderRefusedError(f"the site has no node {node!r}")
    site = core.leases.get(SITE_LEASE)
    if site is None or site.phase != Phase.HOLDING:
        holder = core.name_of(None if site is None else site.holder)
        raise OrderRefusedError(f"only {holder}, which coordinates the site, can: order it there")
    if core.config.has_wan_witness and not is_disk_gone and index in core.config.voter_indices():
        raise OrderRefusedError(
            f"{node} votes whenever it is there, by the file: the witness at the centre needs both"
        )
    after = {*core.electorate.voters, index} if is_added else {*core.electorate.voters} - {index}
    if faults := voters_faults(core.config, after):
        raise OrderRefusedError("; ".join(faults))
    told = runtime.tell(Wanted(index, is_added=is_added, is_disk_gone=is_disk_gone))
    if told is None or not told.ok:
        raise OrderRefusedError("nothing came of it" if told is None else _named(core, told))
    return {"sentence": _named(core, told)}


def _named(core: Core, told: Answered) -> str:
    return named(Explain(told.sentence, {}), core.name_of).sentence


def _lease_name(core: Core, group: str) -> str:
    known = [name for name in core.hosts if name != SITE_LEASE]
    if group not in known:
        raise OrderRefusedError(
            f"no group {group!r} fails over; there are: {', '.join(known) or 'none'}"
        )
    if group not in core.leases:
        raise OrderRefusedError("local HA only starts: its first write is not on disk yet")
    return group
