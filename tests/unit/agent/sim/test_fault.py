import pytest

from roost_agent.sim.fault import Fault, FaultError, Kind, parse_fault, parse_time

NAMES = {
    "site": "edge-0007",
    "node": "n2",
    "region": "r02",
    "carrier": "carB",
    "pe": "pe-r02-1",
    "feed": "feed-r02-a",
}


def test_a_fault_is_read_with_patterns_and_times():
    assert parse_fault("cut carrier=carB region=r0* at=30s for=1m") == Fault(
        Kind.CUT, (("carrier", "carB"), ("region", "r0*")), 30_000, 60_000
    )


def test_a_fault_without_times_begins_at_once_and_lasts_half_a_minute():
    fault = parse_fault("reboot")
    assert (fault.kind, fault.at_ms, fault.for_ms) == (Kind.REBOOT, 0, 30_000)


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("cut", True),
        ("cut carrier=carB", True),
        ("cut carrier=carA", False),
        ("cut site=edge-000?", True),
        ("cut region=r02 node=n1", False),
        ("cut broker=wan9", True),
    ],
)
def test_all_patterns_must_match(text, hits):
    assert parse_fault(text).hits(NAMES) is hits


def test_a_broker_narrows_the_paths_not_the_nodes():
    fault = parse_fault("drop broker=wan1")
    assert fault.hits_broker("wan1")
    assert not fault.hits_broker("wan2")
    assert parse_fault("drop").hits_broker("wan2")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "fault"),
        ("break carrier=carB", "fault"),
        ("cut carier=carB", "fault"),
        ("cut carrier", "carrier"),
        ("cut carrier=" + "x" * 65, "carrier"),
        ("cut at=30", "at"),
        ("cut at=", "at"),
        ("cut for=-1s", "for"),
        ("cut for=721h", "for"),
        ("reboot broker=wan1", "broker"),
    ],
)
def test_a_fault_that_is_none_is_refused_by_its_word(text, field):
    with pytest.raises(FaultError) as refused:
        parse_fault(text)
    assert refused.value.field == field
    assert refused.value.bound in str(refused.value)


@pytest.mark.parametrize(
    ("text", "time_ms"), [("250ms", 250), ("30s", 30_000), ("2m", 120_000), ("720h", 2_592_000_000)]
)
def test_a_time_has_its_unit(text, time_ms):
    assert parse_time(text, field="at") == time_ms
