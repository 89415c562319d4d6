"""The shell of liveness: it knows when it was itself away."""

import sys
from pathlib import Path

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host, report

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.fleet.view import FleetView
from roost_central.hosts.core import HostsWord, words_of
from roost_central.liveness.loss import BEATS
from roost_central.liveness.sweep import PAUSE_MS, Sweep
from roost_protocol.beat import Beat, PathKind, PathReport, PathState


class StoppedClock:
    """A clock that only the test moves."""

    def __init__(self):
        self.now_ms = 1_000_000

    def wall_ms(self):
        return self.now_ms

    mono_ms = boot_ms = wall_ms


def test_a_centre_that_was_stopped_blames_no_node():
    clock, view, told = StoppedClock(), FleetView(), []
    view.add_site("lab", 4)
    sweep = Sweep(frozenset(), view, clock=clock, tell=told.append, signal=lambda _event: None)
    nodes = [view.add_node(f"lab.n{n}", "lab", f"n{n}") for n in range(30)]
    with view.listen() as changes:
        for row in nodes:
            sweep.enter(row)
            sweep.hear(row.node, beat(row.node))
        for _ in range(600):  # past the start
            clock.now_ms += 250
            sweep.tick(changes)
            if clock.now_ms % 10_000 == 0:
                for row in nodes:
                    sweep.hear(row.node, beat(row.node, n=clock.now_ms))
        told.clear()
        clock.now_ms += PAUSE_MS + 115_000
        sweep.tick(changes)
        assert {row.presence for row in view.nodes.values()} == {"online"}
        assert told == []


def test_sites_that_stay_silent_after_a_wave_raise_their_alarm_with_their_true_age():
    clock, view, told, signals = StoppedClock(), FleetView(), [], []
    sweep = Sweep(frozenset(), view, clock=clock, tell=told.append, signal=signals.append)
    for n in range(60):
        view.add_site(f"s{n}", 4)
        row = view.add_node(f"s{n}.n1", f"s{n}", "n1")
        sweep.enter(row)
    with view.listen() as changes:
        for step in range(4 * 600):
            if step % 40 == 0 and step < 4 * 150:  # until past the start
                for row in view.nodes.values():
                    row.heard_ms = heard_ms = clock.now_ms
                    sweep.hear(row.node, beat(row.node, n=step // 40 + 1))
            clock.now_ms += 250
            sweep.tick(changes)
    raised = [each for each in signals if isinstance(each, OwnRaised)]
    doubts = [each for each in raised if each.type == "280.808"]
    assert [each.params["count"] for each in doubts] == sorted({13, 60}), "it follows the sites"
    told = [each for each in raised if each.type != "280.808"]
    assert [each.type for each in told] == ["280.001"] * 60 + ["280.802"] * 60
    assert all(each.is_one_of_many for each in told[:60])
    since_ms = {row.status_since_ms for row in view.sites.values()}
    assert told[0].params["s"] * 1000 > max(since_ms) - heard_ms, "told later than seen"


def beat(node, n=1):
    return Beat(
        v=1, node=node, boot_id=bytes(16), incarnation=1, path="wan1", sent_ms=0, n=n,
        interval_ms=10_000, uptime_s=1, agent="0.1.0", why="timer",
    )  # fmt: skip


def test_a_canary_that_is_not_back_is_a_broker_that_is_lost_until_it_is():
    clock, view, told, signals = StoppedClock(), FleetView(), [], []
    sweep = Sweep(frozenset({"b1"}), view, clock=clock, tell=told.append, signal=signals.append)
    sweep.broker_up("b1")
    signals.clear()
    sweep.canary("b1", is_well=False)
    sweep.canary("b1", is_well=True)
    assert [(type(each), each.type) for each in signals] == [
        (OwnRaised, "280.813"),
        (OwnCleared, "280.813"),
    ]
    assert [event.text for event in told] == [
        "our own messages through broker b1 do not come back",
        "our own messages through broker b1 come back again",
    ]


def test_two_boxes_of_one_identity_are_an_alarm_though_one_of_them_is_not_shown():
    clock, view, told, signals = StoppedClock(), FleetView(), [], []
    sweep = Sweep(frozenset(), view, clock=clock, tell=told.append, signal=signals.append)
    view.add_site("lab", 4)
    sweep.enter(view.add_node("lab.n1", "lab", "n1"))
    ignored = []
    for n in range(1, 12):
        for boot in (bytes(16), b"c" * 16):
            clock.now_ms += 5_000
            ignored.append(
                sweep.hear("lab.n1", replace(beat("lab.n1", n), boot_id=boot, sent_ms=clock.now_ms))
            )
    assert ignored.count(None) == 11, "one box is shown"
    (raised,) = [each for each in signals if isinstance(each, OwnRaised)]
    assert (raised.type, raised.entity) == ("280.805", "site=lab,node=n1")
    assert "two boxes use one identity, by turns" in [event.text for event in told]


def test_a_path_that_loses_beats_is_an_alarm_of_its_node_until_the_path_is_gone():
    clock, view, told, signals = StoppedClock(), FleetView(), [], []
    sweep = Sweep(frozenset(), view, clock=clock, tell=told.append, signal=signals.append)
    view.add_site("lab", 4)
    sweep.enter(view.add_node("lab.n1", "lab", "n1"))
    wan1 = [PathReport("wan1", PathKind.WAN, PathState.UP, 0)]
    wan2 = [PathReport("wan2", PathKind.WAN, PathState.UP, 0)]
    for n in (1, *range(2, 2 + 2 * BEATS, 2)):
        clock.now_ms += 10_000
        sweep.hear("lab.n1", replace(beat("lab.n1", n), paths=wan1))
    (raised,) = [each for each in signals if isinstance(each, OwnRaised)]
    assert (raised.type, raised.entity) == ("280.816", "site=lab,node=n1,path=wan1")
    assert (raised.node, raised.params) == ("lab.n1", {"lost": 9, "count": BEATS})
    assert told[-1].text == "path wan1: 9 of the last 20 beats did not come"
    signals.clear()
    sweep.hear("lab.n1", replace(beat("lab.n1"), path="wan2", paths=wan2))
    assert OwnCleared("280.816", "site=lab,node=n1,path=wan1") in signals


def test_a_site_that_speaks_is_in_need_by_what_it_says():
    clock, view = StoppedClock(), FleetView()
    view.add_site("lab", 4)
    row = view.add_node("lab.n1", "lab", "n1")
    sweep = Sweep(frozenset(), view, clock=clock, tell=lambda _: None, signal=lambda _: None)
    with view.listen() as changes:
        sweep.tick(changes)
        sweep.enter(row)
        sweep.hear(row.node, beat(row.node))
        assert view.sites["lab"].status == "ok"
        said = HostsWord("lab", 1, 1, report(host("n1", "failed"), by="lab.n1"))
        view.put_hosts("lab", words_of([said]))
        sweep.tick(changes)
        assert view.sites["lab"].status == "degraded"
        view.remove_site("lab")
        sweep.tick(changes)
