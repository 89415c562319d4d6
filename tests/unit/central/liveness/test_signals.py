"""A site that is left alone has no alarm of silence; managed again it has what is so."""

from types import SimpleNamespace

import pytest

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.fleet.view import FleetView, PathRow
from roost_central.liveness.signals import muted, signals_of_site
from roost_central.liveness.sweep import Sweep
from roost_protocol.severity import Severity

NOW_MS = 9_000_000


@pytest.fixture
def view():
    made = FleetView()
    made.add_site("lab", 1)
    node = made.add_node("lab.n1", "lab", "n1")
    node.heard_ms, node.presence = NOW_MS - 600_000, "unreachable"
    node.paths = {"wan1": PathRow("wan1", "wan", state="unknown")}
    made.sites["lab"].status = "unknown"
    return made


def test_what_was_raised_of_its_silence_ends_when_it_is_left_alone(view):
    view.sites["lab"].managed = False
    cleared = signals_of_site(view.sites["lab"], view, NOW_MS)
    assert all(isinstance(each, OwnCleared) for each in cleared)
    assert {each.type for each in cleared} == {"280.001", "280.802", "280.801", "280.816"}


def test_the_silence_that_there_is_is_raised_when_it_is_managed_again(view):
    raised = signals_of_site(view.sites["lab"], view, NOW_MS)
    assert [(each.type, each.params["s"]) for each in raised] == [
        ("280.001", 600),
        ("280.802", 600),
    ]


def test_a_path_that_is_down_is_raised_again(view):
    node = view.nodes["lab.n1"]
    node.presence, view.sites["lab"].status = "online", "degraded"
    node.paths = {name: PathRow(name, "wan", state="down") for name in ("wan1", "wan2")}
    raised = signals_of_site(view.sites["lab"], view, NOW_MS)
    assert [each.entity for each in raised] == ["site=lab,path=wan1", "site=lab,path=wan2"]


def test_a_site_that_was_never_heard_is_not_silent(view):
    view.nodes["lab.n1"].heard_ms = None
    assert signals_of_site(view.sites["lab"], view, NOW_MS) == []


@pytest.mark.parametrize(
    ("type_", "is_managed", "expected"),
    [
        ("280.001", False, True),
        ("280.001", True, False),
        ("280.805", False, False),  # two boxes with one identity: never kept back
    ],
)
def test_only_alarms_of_silence_of_a_site_that_is_left_alone_are_kept_back(
    view, type_, is_managed, expected
):
    view.sites["lab"].managed = is_managed
    event = OwnRaised(type_, "site=lab", Severity.CRITICAL, site="lab")
    assert muted(event, view) is expected
    assert not muted(OwnCleared(type_, "site=lab"), view)


def test_a_centre_that_was_killed_before_it_told_tells_it_at_its_start(view):
    clock = SimpleNamespace(wall_ms=lambda: NOW_MS, mono_ms=lambda: 5, boot_ms=lambda: 5)
    signals = []
    view.sites["lab"].managed = False
    sweep = Sweep(frozenset(), view, clock=clock, tell=lambda _e: None, signal=signals.append)
    with view.listen() as changes:
        for _ in range(2):
            sweep.tick(changes)
    assert [each.type for each in signals].count("280.001") == 1


def test_the_sweep_tells_it_once_when_somebody_changes_it(view):
    clock = SimpleNamespace(wall_ms=lambda: NOW_MS, mono_ms=lambda: 5, boot_ms=lambda: 5)
    signals = []
    sweep = Sweep(frozenset(), view, clock=clock, tell=lambda _e: None, signal=signals.append)
    with view.listen() as changes:
        view.touch_site("lab")
        sweep.tick(changes)
        assert signals == []
        view.sites["lab"].managed = False
        for _ in range(2):
            view.touch_site("lab")
            sweep.tick(changes)
        assert [each.type for each in signals].count("280.001") == 1
        view.sites["lab"].managed = True
        view.touch_site("lab")
        sweep.tick(changes)
    assert isinstance(signals[-1], OwnRaised)
