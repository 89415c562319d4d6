"""A node's word on local HA over the wire: what comes back, and what is refused."""

import pytest

from roost_protocol.codec import Decoder, encode
from roost_protocol.errors import ProtocolError
from roost_protocol.ha_report import HaGroup, HaPeer, HaReport, HaRole, HaWay
from roost_protocol.limits import HA_NODES_MAX

reports = Decoder[HaReport](HaReport)
GROUP = HaGroup(name="main", model="2N", hosts=["c0", "c1"], role=HaRole.STANDBY, epoch=8)
REPORT = HaReport(
    v=1,
    profile="default",
    nodes=["c0", "c1"],
    voters=["c0", "c1"],
    cfgver=2**32 - 1,
    sticky=True,
    groups=[GROUP],
    ways=[HaWay("mgmt/c0", "mgmt", "mqtt", "c0", "refused")],
    peers=[HaPeer("c1", "alive", 5, {"0": "up"})],
    faults=["disk full"],
)


def test_a_report_comes_back_as_it_was():
    assert reports.decode(encode(REPORT)) == REPORT


def plain(**more):
    return {"v": 1, "profile": "x", "nodes": [], "voters": [], "cfgver": 1, **more}


@pytest.mark.parametrize(
    "body",
    [
        plain(v=9),
        plain(cfgver=-1),
        plain(nodes=["n"] * (HA_NODES_MAX + 1)),
        plain(nodes=["n" * 33]),
        plain(faults=["x" * 256]),
        plain(groups=[{"name": "g", "model": "2N", "hosts": [], "role": "king"}]),
        plain(peers=[["c1", "alive"]]),
        {"v": 1},
        [],
        None,
    ],
)
def test_what_makes_no_sense_is_refused(body):
    with pytest.raises(ProtocolError):
        reports.decode(encode(body))


def test_a_later_report_may_say_more():
    assert reports.decode(encode(plain(weather="fine"))).profile == "x"
