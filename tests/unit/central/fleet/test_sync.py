"""Whether a site is as the centre has it, by subject."""

import pytest

from roost_central.fleet.sync import SUBJECTS, Sync, is_online, sync_of, worst
from roost_central.fleet.view import FleetView
from roost_protocol.update import Running


@pytest.fixture
def site():
    view = FleetView()
    row = view.add_site("lab", 1)
    for name in ("n1", "n2"):
        node = view.add_node(f"lab.{name}", "lab", name)
        node.presence, node.inventory_gen = "online", 4
    return row, view


def test_a_site_that_is_heard_and_says_the_same_is_in_sync(site):
    row, view = site
    assert set(sync_of(row, view, ()).values()) == {Sync.IN_SYNC}
    assert is_online(row, view)


@pytest.mark.parametrize(
    ("field", "value", "subject", "expected"),
    [
        ("inventory_behind", True, "inventory", Sync.OUT_OF_SYNC),
        ("inventory_gen", None, "inventory", Sync.UNKNOWN),
        ("presence", "unreachable", "inventory", Sync.UNKNOWN),
        ("presence", "unreachable", "configuration", Sync.UNKNOWN),
        ("presence", "unreachable", "time", Sync.UNKNOWN),
    ],
)
def test_one_node_decides_for_its_site(site, field, value, subject, expected):
    row, view = site
    setattr(view.nodes["lab.n2"], field, value)
    assert sync_of(row, view, ())[subject] == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("none", Sync.IN_SYNC),
        ("in-sync", Sync.IN_SYNC),
        ("unable", Sync.UNKNOWN),
        ("pending", Sync.OUT_OF_SYNC),
        ("applying", Sync.OUT_OF_SYNC),
        ("failed", Sync.OUT_OF_SYNC),
    ],
)
def test_configuration_is_in_sync_by_the_nodes_own_word_alone(site, state, expected):
    row, view = site
    view.nodes["lab.n1"].config.state = state
    assert sync_of(row, view, ())["configuration"] == expected


@pytest.mark.parametrize(
    ("alarm", "subject"),
    [("100.805", "time"), ("500.200", "certificates"), ("500.210", "certificates")],
)
def test_an_open_alarm_puts_its_subject_out_of_sync_dark_or_not(site, alarm, subject):
    row, view = site
    for presence in ("online", "unreachable"):
        view.nodes["lab.n1"].presence = presence
        assert sync_of(row, view, {alarm, "100.104"})[subject] == Sync.OUT_OF_SYNC


def test_nothing_is_known_of_a_site_that_is_left_alone_or_has_no_nodes(site):
    row, view = site
    empty = view.add_site("none", 1)
    row.managed = False
    for each in (row, empty):
        assert sync_of(each, view, {"100.805"}) == dict.fromkeys(SUBJECTS, Sync.UNKNOWN)
    assert not is_online(empty, view)


OLD = Running("1.0.0", "1" * 64)
PUMP = Running("2.0.0", "2" * 64)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ({"app/pump": PUMP, "app/web": OLD}, Sync.IN_SYNC),
        ({"app/pump": OLD}, Sync.OUT_OF_SYNC),
        ({"app/pump": Running(PUMP.version, OLD.digest)}, Sync.OUT_OF_SYNC),
        ({"app/web": PUMP}, Sync.OUT_OF_SYNC),
        (None, Sync.UNKNOWN),
    ],
)
def test_the_release_is_what_each_node_says_that_it_runs(site, runs, expected):
    row, view = site
    row.wanted = {"app/pump": PUMP}
    view.nodes["lab.n1"].software, view.nodes["lab.n2"].software = {"app/pump": PUMP}, runs
    assert sync_of(row, view, ())["release"] == expected
    view.nodes["lab.n2"].presence = "unreachable"
    assert sync_of(row, view, ())["release"] == Sync.UNKNOWN


def test_the_worst_of_all_is_the_one_word():
    assert worst([Sync.IN_SYNC, Sync.UNKNOWN]) == Sync.UNKNOWN
    assert worst([Sync.OUT_OF_SYNC, Sync.UNKNOWN]) == Sync.OUT_OF_SYNC
