"""A node's word on its settings over the wire: what comes back, and what is refused."""

import pytest

from roost_protocol.codec import Decoder, encode
from roost_protocol.config_report import (
    ConfigReport,
    ConfigState,
    Drift,
    SectionReport,
    SectionState,
)
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import CONFIG_DRIFT_MAX, CONFIG_SECTIONS_MAX

reports = Decoder[ConfigReport](ConfigReport)
REPORT = ConfigReport(
    v=1,
    desired_gen=8,
    digest=b"d" * 32,
    state=ConfigState.ROLLED_BACK,
    applied_gen=7,
    applied_digest=b"c" * 32,
    code="failed",
    text="kernel: vm.swappiness is 60 after 10 was written",
    sections={"kernel": SectionReport(SectionState.FAILED, "vm.swappiness is 60")},
    drift=[Drift('kernel.sysctl."vm.swappiness"', "10", "60")],
    drift_count=1,
)


def test_a_report_comes_back_as_it_was():
    assert reports.decode(encode(REPORT)) == REPORT


def test_a_node_that_is_as_it_should_be_says_little():
    quiet = ConfigReport(v=1, desired_gen=8, digest=b"d" * 32, state=ConfigState.APPLIED)
    assert len(encode(quiet)) < 80


def plain(**more):
    return {"v": 1, "desired_gen": 8, "digest": b"d" * 32, "state": "applied", **more}


@pytest.mark.parametrize(
    "body",
    [
        plain(v=9),
        plain(desired_gen=-1),
        plain(digest=b"d" * 8),
        plain(state="fine"),
        plain(text="x" * 256),
        plain(sections={"kernel": {"state": "fine"}}),
        plain(sections={f"s{n}": {"state": "applied"} for n in range(CONFIG_SECTIONS_MAX + 1)}),
        plain(drift=[["kernel", "10"]]),
        plain(drift=[["kernel", "1" * 129, ""]]),
        plain(drift=[["kernel", "1", "2"]] * (CONFIG_DRIFT_MAX + 1)),
        {"v": 1},
        [],
        None,
    ],
)
def test_what_makes_no_sense_is_refused(body):
    with pytest.raises(ProtocolError):
        reports.decode(encode(body))
