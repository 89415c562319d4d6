"""What centre and sites say of updates: limits, and what contradicts itself is refused."""

import msgspec
import pytest

from roost_protocol.codec import Decoder, encode
from roost_protocol.errors import ProtocolError
from roost_protocol.update import (
    FailureType,
    JobReport,
    NodeSaid,
    Offer,
    SiteState,
    WaitReason,
)
from roost_protocol.window import Window

OFFER = Offer(
    v=1,
    rollout="0" * 32,
    job="1" * 32,
    attempt=1,
    component="app/pump",
    version="1.2.0",
    digest="a" * 64,
    size=1_000,
    nodes=["s1.n1", "s1.n2"],
    not_before_ms=1,
    not_after_ms=2,
    window=Window((5, 6), "01:00", 240, "Europe/Berlin"),
)
REPORT = JobReport(v=1, job="1" * 32, attempt=1, seq=1, state=SiteState.ACCEPTED)


def test_an_offer_is_read_as_it_was_written() -> None:
    read = Decoder[Offer](Offer).decode(encode(OFFER))
    read.check()
    assert read == OFFER


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"nodes": ["s1.n1", "s1.n1"]}, "twice"),
        ({"not_after_ms": 1}, "times"),
        ({"window": Window((5,), "01:00", 60, "Nowhere/Atall")}, "field"),
    ],
)
def test_an_offer_that_contradicts_itself_is_refused(changed: dict[str, object], code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        msgspec.structs.replace(OFFER, **changed).check()
    assert caught.value.code == code


def test_an_offer_without_a_window_may_run_at_any_time() -> None:
    msgspec.structs.replace(OFFER, window=None).check()


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("component", "app/../../etc"),
        ("component", "kernel"),
        ("version", "1.0 ; rm"),
        ("digest", "A" * 64),
        ("job", "1" * 31),
        ("attempt", 0),
        ("attempt", 101),
        ("nodes", []),
        ("parallel_workers", 11),
        ("controllers", "parallel"),
        ("alarms", "none"),
        ("parallel_storage", 11),
    ],
)
def test_an_offer_past_a_bound_is_refused(field: str, bad: object) -> None:
    raw = encode({**msgspec.to_builtins(OFFER), field: bad})
    with pytest.raises(ProtocolError):
        Decoder[Offer](Offer).decode(raw)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"nodes": [NodeSaid("s1.n1", "install"), NodeSaid("s1.n1", "commit")]}, "twice"),
        ({"state": SiteState.FAILED}, "failure"),
        ({"state": SiteState.ROLLED_BACK}, "failure"),
        ({"state": SiteState.WAITING}, "wait"),
        ({"wait": WaitReason.WINDOW}, "wait"),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(changed: dict[str, object], code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        msgspec.structs.replace(REPORT, **changed).check()
    assert caught.value.code == code


def test_a_report_of_a_failure_names_its_type() -> None:
    failed = msgspec.structs.replace(
        REPORT, state=SiteState.ROLLED_BACK, failure=FailureType.BOOT, nodes=[NodeSaid("n", "end")]
    )
    failed.check()
    assert Decoder[JobReport](JobReport).decode(encode(failed)) == failed
