"""The names of certificates: one spelling each, and none that means another holder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.certificate import (
    BOX_MAX,
    Holder,
    Kind,
    Names,
    check_domain,
    check_pin,
    node_holder,
    pin,
    read,
    write,
)
from roost_protocol.errors import ProtocolError

DOMAIN = "edge.example"
NODE = "edge-02-17.n1"
WRITTEN = [
    (Holder(Kind.NODE, NODE), NODE, f"{NODE}.nodes.{DOMAIN}"),
    (Holder(Kind.SERVER, "enrol"), "enrol", f"enrol.svc.{DOMAIN}"),
    (Holder(Kind.SERVICE, "ingest"), "svc_ingest", f"ingest.svc.{DOMAIN}"),
    (Holder(Kind.LAN, NODE, 3), f"{NODE}~3", f"{NODE}.lan.{DOMAIN}"),
    (Holder(Kind.BROKER, NODE, BOX_MAX), f"{NODE}~9999", f"{NODE}.brokers.{DOMAIN}"),
]
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,27}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("holder", "cn", "san"), WRITTEN, ids=lambda each: getattr(each, "kind", "")
)
def test_each_kind_has_its_names(holder, cn, san):
    assert write(holder, DOMAIN) == Names(cn, san)
    assert read(Names(cn, san), holder.kind, DOMAIN) == holder


@given(st.sampled_from(Kind), names, names, st.integers(1, BOX_MAX))
def test_what_is_written_reads_back(kind, site, node, box):
    name = site if kind in {Kind.SERVER, Kind.SERVICE} else f"{site}.{node}"
    holder = Holder(kind, name, box if kind.has_box else 0)
    written = write(holder, DOMAIN)
    assert read(written, kind, DOMAIN) == holder
    assert len(written.common_name) <= 64


@pytest.mark.parametrize("other", list(Kind))
@pytest.mark.parametrize(
    ("holder", "cn", "san"), WRITTEN, ids=lambda each: getattr(each, "kind", "")
)
def test_no_kind_is_taken_for_another(holder, cn, san, other):
    if other is holder.kind:
        return
    with pytest.raises(ProtocolError):
        read(Names(cn, san), other, DOMAIN)


@pytest.mark.parametrize(
    ("cn", "san", "code"),
    [
        ("edge.n2", "edge.n1.nodes.edge.example", "cn"),
        ("edge.n1", "edge.n1.nodes.other.example", "san"),
        ("edge.n1", "edge.n1.nodes.edge.example.", "san"),
        ("edge.n1", "Edge.n1.nodes.edge.example", "name"),
        ("edge.n1", "edge.n1.x.nodes.edge.example", "name"),
        ("edge", "edge.nodes.edge.example", "name"),
        ("+.n1", "+.n1.nodes.edge.example", "name"),
        ("edge.n1\n", "edge.n1\n.nodes.edge.example", "name"),
        ("", "edge.n1.nodes.edge.example", "cn"),
        (f"{'a' * 30}.{'b' * 29}", f"{'a' * 30}.{'b' * 29}.nodes.edge.example", "oversize"),
    ],
)
def test_a_node_has_one_spelling(cn, san, code):
    with pytest.raises(ProtocolError) as refused:
        read(Names(cn, san), Kind.NODE, DOMAIN)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("cn", "code"),
    [
        ("edge.n1", "box"), ("edge.n1~0", "box"), ("edge.n1~10000", "box"), ("edge.n1~", "box"),
        ("edge.n1~03", "cn"), ("edge.n1~٣", "box"), ("edge.n2~3", "cn"), ("x~edge.n1~3", "cn"),
    ],
)  # fmt: skip
def test_a_box_has_one_spelling(cn, code):
    with pytest.raises(ProtocolError) as refused:
        read(Names(cn, "edge.n1.lan.edge.example"), Kind.LAN, DOMAIN)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "domain",
    ["example", "", "edge..example", "Edge.example", "-a.example", f"a.{'b' * 63}", "a_b.c"],
)
def test_a_domain_that_cannot_be_is_refused(domain):
    with pytest.raises(ProtocolError) as refused:
        check_domain(domain)
    assert refused.value.code == "name"
    with pytest.raises(ProtocolError):
        write(Holder(Kind.NODE, NODE), domain)


def test_only_a_box_has_a_number():
    with pytest.raises(ProtocolError):
        write(Holder(Kind.NODE, NODE, 1), DOMAIN)
    with pytest.raises(ProtocolError):
        write(node_holder(Kind.LAN, "edge", "n1"), DOMAIN)


def test_a_pin_is_half_a_hash():
    # RFC 7469 pins the whole SHA-256 of the same bytes.
    assert pin(b"") == "47DEQpj8HBSa-_TImW-5JA"


def test_a_pin_is_sixteen_bytes_and_nothing_else():
    assert check_pin(" AAECAwQFBgcICQoLDA0ODw\n") == bytes(range(16))
    for wrong in ("", "AAAA", "@", "AAECAwQFBgcICQoLDA0ODw=="):
        with pytest.raises(ProtocolError, match="at pin"):
            check_pin(wrong)
