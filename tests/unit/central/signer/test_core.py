"""What the signer agrees to, decided without a key."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders import NOW_MS, OrderPen

from roost_central.signer.bucket import Rate
from roost_central.signer.core import Decider, Issue, List, Policy, Refuse, Sign, Tell
from roost_central.signer.message import (
    Crl,
    Info,
    IssueLan,
    IssueNode,
    IssueServer,
    IssueService,
    Revoked,
    SignOrder,
)
from roost_protocol.certificate import Holder, Kind, write
from roost_protocol.errors import ProtocolError
from roost_protocol.order import read_order

POLICY = Policy("edge.example")
PEN = OrderPen()
NODE = IssueNode("csr", "edge", "n1", 1)


def decided(request, policy=POLICY):
    return Decider(policy).handle(request, 0)


def test_it_agrees_to_each_kind_of_certificate():
    assert decided(NODE) == Issue(Holder(Kind.NODE, "edge.n1"), 90, "csr", generation=1)
    assert decided(IssueLan("edge", "n1", 2, "client", "csr")) == Issue(
        Holder(Kind.LAN, "edge.n1", 2), 0, "csr"
    )
    assert decided(IssueLan("edge", "n1", 2, "broker", public_key_pem="key")) == Issue(
        Holder(Kind.BROKER, "edge.n1", 2), 0, "", "key"
    )
    assert decided(IssueServer("csr", "enrol")) == Issue(Holder(Kind.SERVER, "enrol"), 90, "csr")
    assert decided(IssueService("csr", "ingest")) == Issue(
        Holder(Kind.SERVICE, "ingest"), 90, "csr"
    )


def test_it_agrees_to_what_is_no_certificate():
    assert decided(Info()) == Tell()
    assert decided(Crl("lan", [Revoked("ff", 7)])) == List("lan", {255: 7})
    raw = PEN.write()
    signed = Decider(POLICY).handle(SignOrder(b64encode(raw).decode(), "ab" * 8), 0, NOW_MS)
    assert signed == Sign(raw, read_order(raw), "ab" * 8)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (IssueNode("csr", "+", "n1", 1), "name"),
        (IssueNode("csr", "edge", "n1/up", 1), "name"),
        (IssueNode("csr", "edge.n2.nodes", "n1", 1), "name"),
        (IssueNode("csr", "svc_ingest", "n1", 1), "name"),
        (IssueNode("csr", "e" * 30, "n" * 29, 1), "oversize"),
        (IssueNode("csr", "edge", "n1", 0), "generation"),
        (IssueNode("csr", "edge", "n1", 1 << 32), "generation"),
        (IssueNode("csr", "edge", "n1", 1, 401), "days"),
        (IssueLan("edge", "n1", 0, "client", "csr"), "box"),
        (IssueLan("edge", "n1", 10_000, "client", "csr"), "box"),
        (IssueLan("edge", "n1", 1, "client"), "key"),
        (IssueLan("edge", "n1", 1, "client", "csr", "key"), "key"),
        (IssueServer("csr", "evil.example"), "name"),
        (IssueService("csr", "*"), "name"),
        (SignOrder("not base64"), "payload"),
    ],
)
def test_it_refuses_what_the_policy_does_not_name(request_, code):
    refused = decided(request_)
    assert isinstance(refused, Refuse)
    assert refused.code == code


def test_a_policy_may_want_shorter_lives():
    policy = Policy("edge.example", node_days=30, node_days_max=30, service_days=7)
    assert decided(NODE, policy).days == 30
    assert decided(IssueNode("csr", "edge", "n1", 1, 31), policy).code == "days"
    assert decided(IssueServer("csr", "enrol"), policy).days == 7


def test_no_more_is_agreed_to_than_the_bucket_holds():
    decider = Decider(Policy("edge.example", nodes=Rate(6, 3)))
    said = [decider.handle(NODE, 1_000) for _ in range(5)]
    assert [type(each) for each in said] == [Issue, Issue, Issue, Refuse, Refuse]
    assert said[3].code == "busy"
    assert "10000 ms" in said[3].detail
    assert isinstance(decider.handle(NODE, 10_999), Refuse)
    assert isinstance(decider.handle(NODE, 11_000), Issue)
    assert isinstance(decider.handle(NODE, 11_000), Refuse)
    assert isinstance(decider.handle(IssueServer("csr", "enrol"), 11_000), Issue)


def test_a_full_bucket_holds_its_burst_and_no_more():
    decider = Decider(Policy("edge.example", orders=Rate(60, 2)))
    order = SignOrder(b64encode(PEN.write()).decode())
    said = [decider.handle(order, now, NOW_MS) for now in (0, 10**9, 10**9, 10**9)]
    assert [type(each) for each in said] == [Sign, Sign, Sign, Refuse]


def test_settings_of_the_fleet_keep_no_order_of_a_person_waiting():
    given = {"desired": "7", "digest": "0" * 64}
    settings = SignOrder(b64encode(PEN.write(verb="configure", given=given)).decode())
    order = SignOrder(b64encode(PEN.write()).decode())
    decider = Decider(Policy("edge.example", configurations=Rate(1, 1), orders=Rate(1, 1)))
    said = [decider.handle(each, 0, NOW_MS) for each in (settings, settings, order, order)]
    assert [type(each) for each in said] == [Sign, Refuse, Sign, Refuse]


def test_a_refusal_by_policy_takes_nothing():
    decider = Decider(Policy("edge.example", nodes=Rate(1, 1)))
    assert isinstance(decider.handle(IssueNode("csr", "+", "n1", 1), 0), Refuse)
    assert isinstance(decider.handle(NODE, 0), Issue)


def test_lists_have_a_rate_of_their_own():
    decider = Decider(Policy("edge.example", lists=Rate(1, 1)))
    assert isinstance(decider.handle(Crl("node"), 0), List)
    assert decider.handle(Crl("node"), 0).code == "busy"
    assert isinstance(decider.handle(NODE, 0), Issue)


@given(st.text(max_size=70), st.text(max_size=70), st.integers(0, 1 << 40), st.integers(0, 500))
def test_whatever_is_asked_for_only_a_node_of_this_fleet_is_agreed_to(site, node, generation, days):
    action = decided(IssueNode("csr", site, node, generation, days))
    if isinstance(action, Issue):
        names = write(action.holder, "edge.example")
        assert names.dns_name == f"{site}.{node}.nodes.edge.example"
        assert 1 <= action.days <= 400
    else:
        with pytest.raises(ProtocolError):
            _check(site, node, generation, days)


def _check(site, node, generation, days):
    write(Holder(Kind.NODE, f"{site}.{node}"), "edge.example")
    if not 1 <= generation < 1 << 32 or days > 400:
        raise ProtocolError("bound")
