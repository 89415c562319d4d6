"""An order has one way to be written, one node, an end, and a number that only rises."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders import HOUR_MS, NOW_MS, OrderPen, fields

from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import (
    ORDER_BODY_BYTES_MAX,
    ORDER_BYTES_MAX,
    ORDER_LIFE_MS_MAX,
    ORDER_MESSAGE_BYTES_MAX,
)
from roost_protocol.order import (
    ORDER_DOMAIN,
    Order,
    body_digest,
    check_body,
    next_seq,
    order_key_id,
    read_order,
    read_signed,
    signed_message,
)
from roost_protocol.order_verbs import Configure, Resync, act_of

PEN = OrderPen()
FOLDER = Path(__file__).parent / "vectors"
VECTORS = json.loads((FOLDER / "order.json").read_text())["vectors"]
BODIES = json.loads((FOLDER / "order-body.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_signed_order_is_the_same_bytes_for_ever(vector):
    signed = read_signed(bytes.fromhex(vector["message"]))
    order = read_order(signed.order)
    assert (order.node, order.verb, order.seq) == (vector["node"], vector["verb"], vector["seq"])
    assert signed.signature.hex() == vector["signature"]
    assert encode(order) == signed.order
    assert signed_message(signed.order, signed.signature, signed.key_id).hex() == vector["message"]
    PEN.key.public_key().verify(signed.signature, ORDER_DOMAIN + signed.order)


def test_what_the_oracle_writes_is_read_and_written_the_same():
    raw = PEN.write(verb="ha-maintenance", given={"group": "db", "seconds": 600}, reason="disk")
    order = read_order(raw)
    assert order.given == {"group": "db", "seconds": 600}
    assert encode(order) == raw


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"node": "lab"}, "name"),
        ({"node": "+.n1"}, "name"),
        ({"generation": 0}, "type"),
        ({"id": bytes(15)}, "type"),
        ({"seq": -1}, "type"),
        ({"v": 2}, "version"),
        ({"reason": "a\nb"}, "type"),
        ({"reason": "x" * 201}, "type"),
        ({"by": "\x1b[2J"}, "type"),
        ({"given": {"a": [1]}}, "type"),
        ({"given": {str(n): 1 for n in range(17)}}, "type"),
        ({"given": {"a": 1.5}}, "type"),
        ({"more": 1}, "type"),
        ({"not_after_ms": NOW_MS}, "life"),
        ({"not_after_ms": NOW_MS - 1}, "life"),
        ({"not_after_ms": NOW_MS + ORDER_LIFE_MS_MAX + 1}, "life"),
        ({"given": {str(n): "x" * 500 for n in range(9)}}, "oversize"),
    ],
)
def test_what_breaks_a_bound_is_refused_by_its_name(changes, code):
    with pytest.raises(ProtocolError) as refused:
        read_order(PEN.write(**changes))
    assert refused.value.code == code


def test_another_way_to_write_the_same_order_is_refused():
    import msgpack  # noqa: PLC0415 - the oracle

    backwards = dict(sorted(fields().items(), reverse=True))
    with pytest.raises(ProtocolError, match="canonical"):
        read_order(msgpack.packb(backwards))


def test_a_message_that_is_too_long_is_not_read():
    with pytest.raises(ProtocolError, match="oversize"):
        read_signed(bytes(ORDER_MESSAGE_BYTES_MAX + 1))
    with pytest.raises(ProtocolError, match="oversize"):
        read_order(bytes(ORDER_BYTES_MAX + 1))


@given(st.binary(max_size=300))
def test_whatever_comes_only_a_protocol_error_is_raised(raw):
    for read in (read_order, read_signed):
        with suppress(ProtocolError):
            read(raw)


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_a_number_is_greater_than_the_last_and_no_smaller_than_the_time(last, now_ms):
    assert next_seq(last, now_ms) > last
    assert next_seq(last, now_ms) >= now_ms


def test_a_key_is_named_by_the_hash_of_its_bytes():
    assert order_key_id(PEN.public) == PEN.key_id
    assert PEN.known().key_id == PEN.key_id


def test_an_order_may_live_a_day():
    assert isinstance(read_order(PEN.write(not_after_ms=NOW_MS + 24 * HOUR_MS)), Order)


@pytest.mark.parametrize("body", [b"\x80", b"x" * ORDER_BODY_BYTES_MAX])
def test_a_body_comes_back_and_is_bound_by_the_digest_in_the_order(body):
    act = Configure(body_digest(body), "3")
    raw = PEN.write(verb="configure", given={"desired": "3", "digest": act.digest})
    message = signed_message(raw, PEN.key.sign(ORDER_DOMAIN + raw), PEN.key_id, body)
    assert len(message) <= ORDER_MESSAGE_BYTES_MAX
    assert read_signed(message).body == body
    check_body(act, read_signed(message).body)


@pytest.mark.parametrize(
    ("act", "body"),
    [
        (Configure(body_digest(b"\x80"), "3"), b""),
        (Configure(body_digest(b"\x80"), "3"), b"\x81"),
        (Resync(), b"\x80"),
    ],
)
def test_a_body_that_is_missing_or_another_or_not_asked_for_is_refused(act, body):
    with pytest.raises(ProtocolError, match="body"):
        check_body(act, body)


def test_a_body_has_a_bound():
    with pytest.raises(ProtocolError, match="type"):
        read_signed(signed_message(b"", bytes(64), PEN.key_id, bytes(ORDER_BODY_BYTES_MAX + 1)))


@pytest.mark.parametrize("vector", BODIES, ids=lambda vector: vector["name"])
def test_an_order_with_a_body_is_the_same_bytes_for_ever(vector):
    signed = read_signed(bytes.fromhex(vector["message"]))
    order = read_order(signed.order)
    check_body(act_of(order.verb, order.given), signed.body)
    assert (order.given["digest"], signed.body.hex()) == (vector["digest"], vector["body"])
    again = signed_message(signed.order, signed.signature, signed.key_id, signed.body)
    assert again.hex() == vector["message"]
