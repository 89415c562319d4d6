"""What ingest is told of alarms of before its start; that they end is test_service.py's matter."""

from types import SimpleNamespace

from roost_central.alarms.facts import OwnCleared
from roost_central.ingest.lagging import CLEAR_AFTER_MS, LAGGING, LagWatch
from roost_central.ingest.left_standing import NO_BROKER, take_over
from roost_central.ingest.sync import OUT_OF_SYNC, SyncWatch
from roost_protocol.entity import parse


def standing(*alarms):
    """Return what ends at once, and the two watches that were told of the alarms."""
    rows = [
        SimpleNamespace(type=type_, entity=entity, pairs=parse(entity), site=site)
        for type_, entity, site in alarms
    ]
    lag, sync = LagWatch(), SyncWatch(lambda _node: True)
    ended = take_over(
        rows,
        brokers={"b1"},
        lag=lag,
        sync=sync,
        nodes_of=lambda site: [f"{site}.n1", f"{site}.n2"],
        now_ms=0,
    )
    return ended, lag, sync


def test_late_reports_end_when_they_were_well_for_a_while():
    _, lag, _ = standing((LAGGING, "central=roost", None))
    assert lag.note(0, 1) is None
    assert lag.note(0, 1 + CLEAR_AFTER_MS) == OwnCleared(LAGGING, "central=roost")


def test_a_difference_ends_when_each_node_of_its_site_was_heard_and_agrees():
    _, _, sync = standing((OUT_OF_SYNC, "site=lab,what=alarms", "lab"))
    assert sync.note("lab.n1", "alarms", 5, is_behind=False) is None
    assert sync.note("lab.n2", "inventory", 5, is_behind=False) is None
    ended = OwnCleared(OUT_OF_SYNC, "site=lab,what=alarms")
    assert sync.note("lab.n2", "alarms", 6, is_behind=False) == ended


def test_the_loss_of_a_broker_that_is_configured_no_more_ends_at_once():
    lost = [("280.813", f"central=roost,broker={name}", None) for name in ("b1", "b2")]
    ended, _, _ = standing(*lost)
    assert ended == [OwnCleared("280.813", "central=roost,broker=b2", NO_BROKER)]
