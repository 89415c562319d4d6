import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roost_agent.helper.frame import (
    FRAME_BYTES_MAX,
    HEADER,
    VERBS,
    FrameError,
    check_size,
    decode,
    encode,
)

NONCE = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("unit_start", {"name": "pump"}),
        ("unit_stop", {"name": "pump-1_b"}),
        ("facts", {"name": "dmi"}),
        ("config_apply", {"digest": "0a" * 32}),
        ("config_confirm", {"digest": "0a" * 32}),
        ("stage", {"digest": "0a" * 32}),
        ("rollback", {"digest": "0a" * 32}),
        ("reboot", {"reason": "kernel 6.1 → 6.12", "nonce": NONCE}),
    ],
)
def test_a_request_is_read_as_it_was_written(verb, fields):
    frame = encode({"verb": verb, **fields})
    (size,) = HEADER.unpack(frame[:4])
    check_size(size)
    assert size == len(frame) - 4
    assert decode(frame[4:]) == (verb, fields)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON"),
        (b"\xff", "JSON"),
        (b"[]", "an object"),
        (b"{}", "verb: missing"),
        (b'{"verb":true}', "verb: missing"),
        (b'{"verb":"sh"}', "verb: none of"),
        (b'{"verb":"facts"}', "name: bound"),
        (b'{"verb":"facts","name":true}', "name: bound"),
        (b'{"verb":"facts","name":""}', "name: bound"),
        (b'{"verb":"facts","name":"../etc"}', "name: bound"),
        (b'{"verb":"facts","name":"dmi\\n"}', "name: bound"),
        (b'{"verb":"facts","name":"dmi.service"}', "name: bound"),
        (b'{"verb":"facts","name":"' + b"a" * 65 + b'"}', "name: bound"),
        (b'{"verb":"config_apply","digest":"' + b"0A" * 32 + b'"}', "digest: bound"),
        (b'{"verb":"config_apply","digest":"../../' + b"0" * 58 + b'"}', "digest: bound"),
        (b'{"verb":"facts","name":"dmi","path":"/"}', "takes name and nothing else"),
        (b'{"verb":"facts","name":"dmi","name":"dmi"}', "there twice"),
        (b'{"verb":"facts","name":1}', "no numbers"),
        (b'{"verb":"facts","name":1.5}', "no numbers"),
        (b'{"verb":"facts","name":NaN}', "no numbers"),
        (b'{"verb":"facts","name":' + b"9" * 4_000 + b"}", "no numbers"),
        (b'{"verb":"facts","name":null}', "every value is text"),
        (b'{"verb":"facts","name":["dmi"]}', "every value is text"),
        (b'{"verb":"facts","name":{"a":"b"}}', "every value is text"),
        (b'{"a":' * 800 + b'"x"' + b"}" * 800, "every value is text"),
        (b"[" * 4_000, "depth: bound 1"),
        (b'{"verb":"reboot","reason":"two\\nlines","nonce":"%b"}' % NONCE.encode(), "reason"),
        (b'{"verb":"reboot","reason":"\\ud800","nonce":"%b"}' % NONCE.encode(), "reason"),
        (b'{"verb":"reboot","reason":"\\u001b[2J","nonce":"%b"}' % NONCE.encode(), "reason"),
        (b'{"verb":"reboot","reason":true,"nonce":"%b"}' % NONCE.encode(), "reason: bound"),
        (b'{"verb":"reboot","reason":false,"nonce":"%b"}' % NONCE.encode(), "reason: bound"),
        (b'{"verb":"reboot","reason":"why","nonce":true}', "nonce: bound"),
        (b'{"verb":"reboot","reason":"why","nonce":"1"}', "nonce: bound 32"),
    ],
    ids=lambda each: each[:40] if isinstance(each, bytes) else each,
)
def test_what_is_no_request_is_refused_by_its_field(body, says):
    with pytest.raises(FrameError, match=says):
        decode(body)


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES_MAX + 1, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_before_anything_is_read(size):
    with pytest.raises(FrameError, match=r"bound 2\.\.4096 bytes"):
        check_size(size)


def test_a_request_that_is_too_long_is_not_written():
    with pytest.raises(FrameError, match=r"bound 2\.\.4096"):
        encode({"verb": "reboot", "reason": "x" * FRAME_BYTES_MAX})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
KEYS = st.sampled_from(["verb", "name", "reason", "nonce", "digest", "path", ""])
REQUESTS = st.dictionaries(KEYS, st.sampled_from([*VERBS, "dmi", NONCE, "why"]) | VALUES).map(
    lambda table: json.dumps(table).encode()
)


@given(st.binary(max_size=FRAME_BYTES_MAX) | REQUESTS)
@example(b'{"verb":"facts","name":"dmi"}')
@example(b'{"verb":"reboot","reason":true,"nonce":"%b"}' % NONCE.encode())
def test_any_bytes_are_a_request_of_the_list_or_a_typed_refusal(body):
    """Whatever is read is a verb of the closed list with just its fields, and can be logged."""
    try:
        verb, fields = decode(body)
    except FrameError:
        return
    assert verb in VERBS
    assert set(fields) == set(VERBS.get(verb, ()))
    assert all(type(value) is str for value in fields.values())
    assert all(value.isprintable() or "reason" in fields for value in fields.values())
    "".join(fields.values()).encode()
