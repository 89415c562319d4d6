"""What a signer's own words mean, at each bound."""

import pytest
from msgspec import structs

from roost_central.ca.standing import (
    DAY_S,
    ISSUERS,
    RECORD,
    ROTATE_SOON_S,
    SILENT_S,
    findings,
    silence,
)
from roost_central.signer.message import Facts
from roost_protocol.severity import Severity

DUE_S = 1_800_000_000
FACTS = Facts(
    domain="edge.example", root_pem="", pin="", node_ca_pem=[], server_ca_pem=[], lan_ca_pem=[],
    order_keys=[], rotate_by_s=DUE_S, signatures=0, log_head="", log_bytes=0, log_bytes_max=1_000,
    revoked={},
)  # fmt: skip
CALM_S = DUE_S - 100 * DAY_S


def told(now_s=CALM_S, **changed):
    found = findings(structs.replace(FACTS, **changed), now_s)
    return [(each.about, each.severity) for each in found]


@pytest.mark.parametrize(
    ("now_s", "severity"),
    [
        (DUE_S - ROTATE_SOON_S - 1, None),
        (DUE_S - ROTATE_SOON_S, Severity.MINOR),
        (DUE_S - 1, Severity.MINOR),
        (DUE_S, Severity.MAJOR),
    ],
)
def test_a_successor_is_asked_for_a_month_before(now_s, severity):
    assert told(now_s) == ([(ISSUERS, severity)] if severity else [])


@pytest.mark.parametrize(
    ("size", "severity"),
    [(799, None), (800, Severity.MINOR), (949, Severity.MINOR), (950, Severity.MAJOR)],
)
def test_a_record_that_fills_is_told(size, severity):
    assert told(log_bytes=size) == ([(RECORD, severity)] if severity else [])


def test_silence_is_told_once_it_lasts():
    assert silence(SILENT_S - 1, "why") == []
    (found,) = silence(SILENT_S, "why")
    assert found.severity is Severity.MAJOR
    assert "10 min" in found.reason
    assert "why" in found.reason
