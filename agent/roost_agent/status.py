"""What ``roost-agent status`` shows, as plain data."""

from collections import Counter
from typing import Any

from roost_agent.alarms.rules import RAISED
from roost_agent.driver import Driver
from roost_agent.outbox.store import LaneCounts
from roost_protocol import __version__
from roost_protocol.envelope import Lane


def status(driver: Driver) -> dict[str, Any]:
    """Return the state of a running agent."""
    now_ms = driver.clock.boot_ms()
    watch = driver.watch
    who = driver.identity
    faults = (
        who.fault,
        who.doubt,
        driver.spool.fault,
        driver.survey.fault,
        watch.fault,
        driver.history.fault,
    )
    mark = driver.survey.mark
    return {
        "node": driver.identity.node,
        "version": __version__,
        "incarnation": driver.identity.incarnation,
        "running_s": (now_ms - driver.started_ms) // 1000,
        "faults": [fault for fault in faults if fault],
        "refused": driver.refused,
        "orders": None if driver.orders is None else {"refused": driver.orders.counts},
        "paths": [_path(driver, name, now_ms) for name in driver.wires],
        "outbox": [_lane(lane, counts) for lane, counts in driver.spool.lanes.items()],
        "alarms": _alarms(driver),
        "health": _health(driver),
        "degraded": {
            name: {
                "severity": each.severity.word,
                "alarm": each.alarm_key,
                "since_ms": each.since_ms,
            }
            for name, each in driver.reasons().items()
        },
        "inventory": {
            "gen": None if mark is None else mark.gen,
            "digest": None if mark is None else mark.digest.hex(),
            "probing": driver.survey.probing,
        },
    }


def _alarms(driver: Driver) -> dict[str, Any]:
    rows = driver.alarms.table.rows.values() if driver.alarms.is_open else ()
    counts = Counter(row.severity for row in rows)
    return {
        "active": counts.total(),
        "severities": {each.word: counts[each] for each in reversed(RAISED)},
        "refused": driver.alarms.refused,
        "unknown_clears": driver.alarms.unknown,
    }


def _health(driver: Driver) -> dict[str, Any]:
    report = driver.health.report()
    failed = [each["check"] for each in report["checks"] if each["state"] == "failed"]
    return {"checks": len(report["checks"]), "failed": failed, "age_s": report["age_s"]}


def _path(driver: Driver, name: str, now_ms: int) -> dict[str, Any]:
    core, path = driver.wires[name].core, driver.config.path(name)
    held_ms = core.held_until_ms
    return {
        "path": name,
        "kind": str(core.kind),
        "state": str(core.state),
        "broker": path.broker,
        "bind": path.bind,
        "for_s": (now_ms - core.since_ms) // 1000,
        "why": core.why,
        "rtt_us": core.rtt_us,
        "loss_permille": core.loss_permille,
        "held_s": None if held_ms is None else max(held_ms - now_ms, 0) // 1000,
        "discarded": driver.wires[name].dropped,
    }


def _lane(lane: Lane, counts: LaneCounts) -> dict[str, Any]:
    return {
        "lane": str(lane),
        "waiting_items": counts.waiting_items,
        "waiting_bytes": counts.waiting_bytes,
        "ring_bytes": counts.ring_bytes,
        "dropped": counts.dropped,
        "last": counts.last,
        "mark": counts.mark,
    }
