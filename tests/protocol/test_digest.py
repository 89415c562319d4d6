"""Digests are the same on two sides, whatever order their maps had."""

from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.digest import node_digest, section_digest

values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=9)
items = st.dictionaries(
    st.text(max_size=5), st.dictionaries(st.text(max_size=5), values), max_size=5
)


@given(items)
def test_the_order_of_keys_does_not_count(section):
    turned = {key: dict(reversed(row.items())) for key, row in reversed(section.items())}
    assert section_digest(section, {}) == section_digest(turned, {})


@given(items, items)
def test_another_content_has_another_digest(one, other):
    # True and 1 are equal in Python and not on the wire, so only reprs are compared
    same = repr(sorted(one.items())) == repr(sorted(other.items()))
    if section_digest(one, {}) == section_digest(other, {}):
        assert same or one == other


def test_a_reason_counts():
    row = {"0": {"microcode": None}}
    assert section_digest(row, {"0.microcode": "denied"}) != section_digest(row, {})


def test_the_digest_of_a_node_is_frozen():
    assert (
        node_digest({"cpu": bytes(8), "nic": b"12345678"}).hex()
        == node_digest({"nic": b"12345678", "cpu": bytes(8)}).hex()
    )
    assert section_digest({"0": {"cores": 2}}, {}).hex() == "db23cfbbf3531ac4"
