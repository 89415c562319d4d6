"""What a coordinator says of its hosts: legal triples alone, each host once, within its bounds."""

from itertools import product

import pytest

from roost_protocol.codec import Decoder, encode
from roost_protocol.errors import ProtocolError
from roost_protocol.host import (
    EVIDENCE_MAX,
    Admin,
    Avail,
    Evidence,
    HostSaid,
    HostsReport,
    Oper,
    is_legal,
)
from roost_protocol.limits import HA_NODES_MAX, MESSAGE_BYTES_MAX

reports = Decoder[HostsReport](HostsReport)


def host(node="n1", **said):
    given = {
        "admin": Admin.UNLOCKED, "oper": Oper.ENABLED, "avail": Avail.AVAILABLE, "since_ms": 1,
    }  # fmt: skip
    return HostSaid(node=node, **(given | said))


def test_the_most_that_a_coordinator_may_say_fits_into_a_message():
    longest = {"task": "x" * 63, "cause": "x" * 255, "reasons": {f"{n:064}": 1 for n in range(16)}}
    rows = [host(f"{number:032}", **longest) for number in range(HA_NODES_MAX)]
    seen = [Evidence(1, "n" * 32, "x" * 255, "x" * 255)] * EVIDENCE_MAX
    wire = encode(HostsReport(v=1, epoch=8, by="lab.n1", hosts=rows, evidence=seen))
    assert len(wire) < MESSAGE_BYTES_MAX
    reports.decode(wire).check()


def test_ten_triples_are_legal_and_no_other():
    assert sum(is_legal(*triple) for triple in product(Admin, Oper, Avail)) == 10
    assert not is_legal(Admin.LOCKED, Oper.ENABLED, Avail.AVAILABLE)
    assert not is_legal(Admin.UNLOCKED, Oper.DISABLED, Avail.ONLINE)


@pytest.mark.parametrize(
    ("hosts", "code"),
    [
        ([host(admin=Admin.LOCKED)], "triple"),
        ([host("n1"), host("n2"), host("n1")], "twice"),
    ],
)
def test_what_cannot_be_is_refused(hosts, code):
    with pytest.raises(ProtocolError) as caught:
        HostsReport(v=1, epoch=8, by="lab.n1", hosts=hosts).check()
    assert caught.value.code == code


@pytest.mark.parametrize(
    "report",
    [
        HostsReport(v=1, epoch=1, by="lab.n1", hosts=[host()] * (HA_NODES_MAX + 1)),
        HostsReport(v=1, epoch=1, by="lab.n1", hosts=[host("x" * 33)]),
        HostsReport(v=1, epoch=1, by="lab.n1", hosts=[host(task="x" * 64)]),
        HostsReport(v=1, epoch=1, by="lab.n1", hosts=[host(cause="x" * 256)]),
    ],
)
def test_what_is_past_a_bound_is_refused(report):
    with pytest.raises(ProtocolError):
        reports.decode(encode(report))
