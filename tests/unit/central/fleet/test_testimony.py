"""How long a last word lasts."""

import pytest

from roost_central.fleet import testimony
from roost_central.fleet.testimony import Lack
from roost_central.fleet.view import NodeRow
from roost_protocol.ha_report import HaPeer, HaReport


def row(name, presence="online", hears=(), heard_ms=9_000, **more):
    """A node that said whom it hears."""
    said = HaReport(
        v=1,
        profile="fast",
        nodes=[],
        voters=[],
        cfgver=1,
        peers=[HaPeer(peer, state, 7_000) for peer, state in hears],
    )
    return NodeRow(0, f"lab.{name}", "lab", name, presence, heard_ms=heard_ms, ha=said, **more)


def test_who_never_spoke_of_local_ha_says_nothing():
    silent = NodeRow(0, "lab.c2", "lab", "c2", "online", ha=None)
    told = testimony.Testimony([row("c0"), silent])
    assert set(told.reports) == told.heard == {"c0"}
    assert not told.is_there("c2")
    assert told.absence("c2") == Lack("c2", "c2 is not heard", None)


@pytest.mark.parametrize("presence", ["online", "degraded"])
def test_whom_the_centre_hears_is_there(presence):
    assert testimony.Testimony([row("c0", presence)]).is_there("c0")


@pytest.mark.parametrize("presence", ["unreachable", "unknown"])
def test_whom_it_does_not_hear_is_there_while_somebody_whom_it_hears_does(presence):
    dark = row("c0", presence)
    for state, is_there in (("alive", True), ("joining", True), ("suspect", False)):
        assert (
            testimony.Testimony([dark, row("c1", hears=[("c0", state)])]).is_there("c0") == is_there
        )
    assert not testimony.Testimony([dark, row("c1", presence, hears=[("c0", "alive")])]).is_there(
        "c0"
    )
    assert testimony.Testimony([dark]).absence("c0") == Lack("c0", "c0 is not heard", 9_000)


@pytest.mark.parametrize(
    ("state", "heard_ms", "is_there"),
    [
        ("lost", 6_999, False),
        ("lost", 7_000, True),  # it spoke to the centre since: it is cut off, and lives
        ("suspect", 6_999, True),
        ("alive", 6_999, True),
    ],
)
def test_whom_all_its_peers_lost_since_the_centre_heard_it_is_gone(state, heard_ms, is_there):
    node = row("c0", heard_ms=heard_ms)
    others = [row("c1", hears=[("c0", state)]), row("w1")]
    assert testimony.Testimony([node, *others]).is_there("c0") == is_there


def test_one_peer_that_hears_it_is_enough():
    node = row("c0", heard_ms=1)
    others = [row("c1", hears=[("c0", "lost")]), row("w1", hears=[("c0", "alive")])]
    assert testimony.Testimony([node, *others]).is_there("c0")


def test_nobody_vouches_for_itself():
    assert not testimony.Testimony([row("c0", "unreachable", hears=[("c0", "alive")])]).is_there(
        "c0"
    )


def test_two_that_hear_each_other_are_not_cut():
    both = [row("c0", hears=[("c1", "alive")]), row("c1", hears=[("c0", "joining")])]
    assert testimony.Testimony(both).cut("c1", "c0") is None
    never = testimony.Testimony([row("c0", hears=[("c1", "alive")]), row("c1")])
    assert never.cut("c1", "c0") == Lack("c1", "c1 never heard c0", None)
