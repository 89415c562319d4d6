"""A site's status by what it says itself: who failed, what lacks a standby, whom a person took."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host
from host_words import report as host_report

from roost_central.fleet.view import FleetView
from roost_central.hosts.core import HostsWord, words_of
from roost_central.liveness.standing import standing_of
from roost_central.liveness.status import Site, status_of
from roost_protocol.ha_report import HaGroup, HaPeer, HaReport, HaRole

NOW_MS = 1_800_000_000_000
HOLD_MS = 10_000
WELL = ("available", "available")


def lab(states, roles=(HaRole.ACTIVE, HaRole.STANDBY), **said):
    """A site of two: the states of its hosts, and what each is of its one group."""
    view, names = FleetView(), ["c0", "c1"]
    view.add_site("lab", 4)
    hosts = [host(name, state, **said) for name, state in zip(names, states, strict=True)]
    view.put_hosts("lab", words_of([HostsWord("lab", 1, 1, host_report(*hosts, by="lab.c0"))]))
    for name, role in zip(names, roles, strict=True):
        row = view.add_node(f"lab.{name}", "lab", name)
        row.presence = "online"
        group = HaGroup(name="db", model="2N", hosts=names, role=role, epoch=3)
        peers = [HaPeer(other, "alive", NOW_MS) for other in names if other != name]
        row.ha = HaReport(
            v=1, profile="fast", nodes=names, voters=names, cfgver=1, groups=[group], peers=peers
        )
    return standing_of(view.sites["lab"], view, NOW_MS)


@pytest.mark.parametrize(
    ("states", "roles", "word"),
    [
        (WELL, (HaRole.ACTIVE, HaRole.STANDBY), "ok"),
        (("available", "failed"), (HaRole.ACTIVE, HaRole.BARRED), "degraded"),
        (("degraded", "available"), (HaRole.ACTIVE, HaRole.STANDBY), "degraded"),
        (("available", "no-power"), (HaRole.ACTIVE, HaRole.STANDBY), "degraded"),
        (WELL, (HaRole.ACTIVE, HaRole.BARRED), "degraded"),  # nobody to go to
        (WELL, (HaRole.BARRED, HaRole.BARRED), "down"),
        (("available", "locked"), (HaRole.ACTIVE, HaRole.BARRED), "maintenance"),
        (("failed", "locked"), (HaRole.ACTIVE, HaRole.BARRED), "degraded"),
        (("locked", "locked"), (HaRole.BARRED, HaRole.BARRED), "down"),
    ],
)
def test_a_site_is_as_well_as_its_hosts_and_groups(states, roles, word):
    assert lab(states, roles).word == word


def test_a_maintenance_excuses_for_as_long_as_it_lasts():
    roles = (HaRole.ACTIVE, HaRole.STANDBY)
    during = lab(("available", "failed"), roles, maintenance_until_ms=NOW_MS + 1)
    assert (during.word, sorted(during.excused)) == ("maintenance", ["lab.c0", "lab.c1"])
    assert lab(("available", "failed"), roles, maintenance_until_ms=NOW_MS).word == "degraded"


@pytest.mark.parametrize(
    ("presences", "said", "status"),
    [
        ({"c0": "unreachable", "c1": "unknown"}, "down", "unknown"),
        ({"c0": "online", "c1": "online"}, "down", "down"),
        ({"c0": "online", "c1": "unreachable"}, "ok", "degraded"),
        ({"c0": "online", "c2": "unreachable"}, "ok", "maintenance"),  # its silence is excused
        ({"c0": "degraded", "c2": "unreachable"}, "maintenance", "degraded"),
    ],
)
def test_the_worse_of_what_is_seen_and_said_counts_of_a_site_that_is_heard(presences, said, status):
    assert status_of(presences, said, frozenset({"c2"})) == status


def test_a_site_gets_better_by_steps_that_hold():
    site, up = Site("lab", status="ok"), {"lab.c0": "online"}

    def look(said, at_ms):
        site.said = said
        site.review(up, at_ms, HOLD_MS, announce=True)
        return site.status

    assert look("down", 0) == "down"
    assert look("degraded", 1) == "down"
    assert look("ok", HOLD_MS) == "down", "that is another step"
    assert look("degraded", HOLD_MS + 1) == "down"
    assert look("degraded", 2 * HOLD_MS + 1) == "degraded"
    assert look("ok", 2 * HOLD_MS + 2) == "degraded"
    assert look("ok", 3 * HOLD_MS + 2) == "ok"
