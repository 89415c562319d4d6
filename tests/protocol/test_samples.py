"""Samples on the wire: half floats, and what no message may say."""

import math

import pytest

from roost_protocol.codec import VERSION, Decoder, encode
from roost_protocol.envelope import Lane, Receipt, SamplesAsk
from roost_protocol.errors import ProtocolError
from roost_protocol.samples import KINDS, VALUE_MAX, Samples, Series, packed, unpacked

_decode = Decoder[Samples](Samples).decode


def said(**more):
    two = packed((1.0, math.nan))
    given = {"v": VERSION, "since_ms": 0, "step_s": 60, "steps": 2}
    return Samples(**given | {"series": [Series("cpu", "", two, two, two)]} | more)


def test_values_keep_three_digits_and_what_was_not_measured_stays_so():
    values = (0.0, 99.95, -40.0, 1_234.0, 65_000.0)
    for value, found in zip(values, unpacked(packed(values)), strict=True):
        assert found == pytest.approx(value, rel=1e-3)
    assert math.isnan(unpacked(packed((math.nan,)))[0])


def test_what_is_beyond_a_half_float_is_told_as_its_end():
    assert unpacked(packed((1e9, -1e9, math.inf))) == (VALUE_MAX, -VALUE_MAX, VALUE_MAX)


def test_a_message_says_the_same_when_it_was_decoded():
    message = said(ask=7, left_out=3)
    assert _decode(encode(message)) == message
    message.check()
    assert message.series[0].name == "cpu"
    assert Series("space", "fs=/var", b"", b"", b"").name == "space|fs=/var"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"step_s": 90}, "step_s"),
        ({"steps": 3}, "cpu"),
        ({"series": [Series("cpu", "", b"12", b"1234", b"1234")]}, "cpu"),
        ({"series": [Series("mood", "", b"1234", b"1234", b"1234")]}, "kind"),
    ],
)
def test_steps_are_whole_minutes_and_every_series_has_all_of_them(more, field):
    with pytest.raises(ProtocolError) as refused:
        said(**more).check()
    assert refused.value.field == field


def test_a_receipt_may_ask_and_one_that_does_not_is_as_short_as_before():
    ask = SamplesAsk(number=5, since_ms=60_000, until_ms=120_000, step_s=60, series=["cpu"])
    plain = {
        "v": VERSION, "node": "s.n", "lane": Lane.BULK, "stream": bytes(16), "seq": 0,
        "central_epoch": bytes(8), "sent_ms": 1,
    }  # fmt: skip
    asking = Decoder[Receipt](Receipt).decode(encode(Receipt(**plain, samples=ask)))
    assert asking.samples == ask
    assert b"samples" not in encode(Receipt(**plain))


def test_every_kind_has_a_unit():
    assert all(KINDS.values())


@pytest.mark.parametrize("board", ["..", "../n1", "n/2", "N2", "n2\n", "a" * 33])
def test_a_board_is_a_name_and_never_a_way_through_folders(board):
    wish = SamplesAsk(number=1, since_ms=0, until_ms=1, step_s=60, board=board)
    with pytest.raises(ProtocolError):
        Decoder[SamplesAsk](SamplesAsk).decode(encode(wish))
