"""Who a topic says is speaking, and what it refuses."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import SHARDS
from roost_protocol.topics import (
    NodeTopics,
    check_path_name,
    node_id,
    parse_up,
    shard_of,
    split_node_id,
    up_subscriptions,
)

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,26}[a-z0-9])?", fullmatch=True)


@given(site=names, node=names)
def test_what_a_node_writes_is_read_as_that_node(site, node):
    topics = NodeTopics.of(node_id(site, node))
    for leaf in ("beat", "report", "gone"):
        spoken = parse_up(getattr(topics, leaf))
        assert (spoken.site, spoken.node, spoken.leaf) == (site, f"{site}.{node}", leaf)
    assert parse_up(topics.ha_up).leaf == "ha"


def test_the_shard_of_a_site_never_changes():
    assert (shard_of("lab"), shard_of("edge-02-17")) == (0x04, 0x00)


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("", "topic"),
        ("roost/v1/04/lab.n1/up", "topic"),
        ("roost/v1/04/lab.n1/down/receipt", "topic"),
        ("roost/v1/04/lab.n1/up/order", "topic"),
        ("roost/v2/04/lab.n1/up/beat", "topic"),
        ("roost/v1/05/lab.n1/up/beat", "shard"),
        ("roost/v1/0x/lab.n1/up/beat", "shard"),
        ("roost/v1/04/lab/up/beat", "name"),
        ("roost/v1/04/LAB.n1/up/beat", "name"),
        ("roost/v1/04/lab.n1.x/up/beat", "name"),
        ("roost/v1/04/lab.n\u0661/up/beat", "name"),
        ("roost/v1/04/" + "x" * 200 + "/up/beat", "topic"),
    ],
)
def test_any_other_topic_is_refused(topic, code):
    with pytest.raises(ProtocolError) as refused:
        parse_up(topic)
    assert refused.value.code == code


@given(st.text(max_size=90))
def test_no_text_raises_anything_else(text):
    for reads in (parse_up, split_node_id, check_path_name):
        with contextlib.suppress(ProtocolError):
            reads(text)


def test_site_and_node_together_fit_a_certificate():
    assert node_id("s" * 29, "n" * 29)
    with pytest.raises(ProtocolError) as refused:
        node_id("s" * 30, "n" * 29)
    assert (refused.value.code, refused.value.bound) == ("oversize", 58)


def test_a_worker_subscribes_to_its_own_shards_only():
    assert up_subscriptions([0, 63]) == ["roost/v1/00/+/up/+", "roost/v1/3f/+/up/+"]
    assert up_subscriptions(range(SHARDS)) == ["roost/v1/+/+/up/+"]
