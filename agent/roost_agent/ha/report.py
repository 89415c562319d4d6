"""What ``roost-agent ha status`` and ``ha explain`` show, as plain data."""

from typing import Any

import msgspec

from roost_agent.ha.brokers import SiteBroker
from roost_agent.ha.clear_text import clear_text
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.core import Core
from roost_agent.ha.guard_report import GuardReport
from roost_agent.ha.link import HaPath
from roost_agent.ha.matrix import cuts
from roost_agent.ha.runtime import Runtime
from roost_agent.ha.state_report import dropped, refused, untested, witness_word


def status(runtime: Runtime) -> dict[str, Any]:
    """Return local HA's state, for people and programs."""
    core, now_ms = runtime.core, runtime.now_ms()
    names = {node.index: node.name for node in core.config.nodes}
    workload = runtime.shells.workload
    return {
        "node": names[core.who.node],
        "profile": core.config.profile,
        "voters": [core.name_of(voter) for voter in core.electorate.voters],
        "sticky": core.electorate.sticky,
        "witness": _witness(core, now_ms),
        "lhm": core.members.lhm,
        "score": core.members.score,
        "redundancy": str(core.members.redundancy),
        "leases": [_lease(core, name, now_ms) for name in core.hosts],
        "members": [_member(core, node, now_ms) for node in core.fresh.peers],
        "paths": [
            _path(path, core, has_tls=runtime.shells.lan is not None)
            for path in runtime.shells.paths
        ],
        "clear_text": clear_text(core.config, has_identity=runtime.shells.lan is not None),
        "roster": _roster(runtime),
        "refused": refused(runtime),
        "dropped": dropped(runtime),
        "stale_requests": core.stale,
        "refused_orders": runtime.refused_orders,
        "broker": None if runtime.shells.broker is None else _broker(runtime.shells.broker),
        "disk": runtime.shells.store.fault,
        "cuts": [[names[node] for node in cut] for cut in cuts(core.members.matrix(now_ms))],
        "fencing": None if runtime.shells.fencing is None else runtime.shells.fencing.status(),
        "gateway_silent_ms": _gateway(runtime, now_ms),
        "strangers": [core.name_of(node) for node in core.members.strangers()],
        "guard": None if runtime.guard_report is None else _guard(runtime.guard_report),
        "untested": untested(runtime),
        "no_reboot": "" if workload is None else workload.no_reboot(),
        "services": {} if workload is None else workload.status(),
    }


def roles(runtime: Runtime) -> list[dict[str, Any]]:
    """Return the leases alone: what ``roost-agent status`` shows of local HA."""
    return [_lease(runtime.core, name, runtime.now_ms()) for name in runtime.core.hosts]


def explained(runtime: Runtime, count: int) -> list[dict[str, Any]]:
    """Return the last decisions, the newest last."""
    ring = list(runtime.ring)[-count:]
    return [msgspec.to_builtins(each) for each in ring]


def _witness(core: Core, now_ms: int) -> dict[str, Any] | None:
    """Return how it stands with the witness at the centre, None where the site has none."""
    if core.witness is None:
        return None
    return {
        "there": core.witness.is_there(now_ms),
        "votes": core.electorate.has_witness,
        "answered_ms": core.witness.silent_ms(now_ms),
        "why": witness_word(core, now_ms),
    }


def _gateway(runtime: Runtime, now_ms: int) -> int | None:
    """Return since when no gateway answers; None where none ever did, or none is asked."""
    gateways = runtime.shells.gateways
    return None if gateways is None else gateways.said.silent_ms(now_ms)


def heard(runtime: Runtime) -> tuple[int | None, tuple[int | None, ...]]:
    """Return when a gateway answered last, and each other node was heard, on the boot clock.

    None: never, or it is not asked.
    """
    core, now_ms = runtime.core, runtime.now_ms()
    silent_ms = _gateway(runtime, now_ms)
    ages_ms = [core.fresh.age_ms(node, now_ms) for node in core.fresh.peers]
    peers_ms = tuple(None if age_ms is None else now_ms - age_ms for age_ms in ages_ms)
    return None if silent_ms is None else now_ms - silent_ms, peers_ms


def _lease(core: Core, name: str, now_ms: int) -> dict[str, Any]:
    lease = core.leases.get(name)
    bar = core.bar(name)
    if lease is None:
        return {"lease": name, "phase": "starting", "epoch": 0, "holder": None, "bar": bar}
    belief = lease.belief(now_ms)
    return {
        "lease": name,
        "phase": lease.phase,
        "epoch": lease.epoch if lease.is_held else belief.epoch,
        "holder": None if belief.holder is None else core.name_of(belief.holder),
        "remaining_ms": belief.remaining_ms,
        "rank": core.members.rank(core.hosts[name], now_ms),
        "is_host": core.who.node in core.hosts[name],
        "bar": bar,
        "slot_of": core.name_of(core.slots.table[name]) if name in core.slots.table else None,
        "built_in": name == SITE_LEASE,
    }


def _member(core: Core, node: int, now_ms: int) -> dict[str, Any]:
    members, fresh = core.members, core.fresh
    told = members.report(node)
    return {
        "node": core.name_of(node),
        "state": str(members.state(node)),
        "for_ms": now_ms - members.since_ms(node),
        "age_ms": fresh.age_ms(node, now_ms),
        "suspect_ms": members.suspect_ms(node, now_ms),
        "barred": [] if told is None else sorted(told.barred),  # what it says it could not have
        "paths": {
            str(path): {
                "state": str(state),
                "loss_permille": fresh.loss_permille(node, path, now_ms),
            }
            for path, state in members.paths(node).items()
        },
    }


def _roster(runtime: Runtime) -> dict[str, Any] | None:
    """Return which box stands for each node, and why the site's file is not followed."""
    admission = runtime.shells.admission
    if admission is None:
        return None
    return {"boxes": dict(admission.roster.boxes), "fault": admission.roster.fault}


def _path(path: HaPath, core: Core, *, has_tls: bool) -> dict[str, Any]:
    way = core.config.paths[path.number]
    return {
        "path": path.number,
        "driver": way.driver,
        "network": way.network,
        "broker": way.broker,
        "tls": None if way.broker is None else has_tls,
        "open": path.is_open,
        "fault": path.fault,
        "discarded": path.discarded,
    }


def _guard(report: GuardReport) -> dict[str, Any]:
    """Return what the guard measured of itself, and its watchdog; times in ms."""
    return {
        "kill_ms": report.kill_ms,
        "lag_ms": report.lag_ms,
        "watchdog_ms": report.watchdog_ms,
        "watchdog": report.watchdog,
        "hardware": report.hardware,
    }


def _broker(broker: SiteBroker) -> dict[str, Any]:
    return {"pid": broker.pid, "restarts": broker.restarts, "fault": broker.fault}
