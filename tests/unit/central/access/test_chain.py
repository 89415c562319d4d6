"""The audit log's chain: what breaks it, and that anybody can compute it."""

import hashlib
import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.access.chain import (
    GENESIS,
    START,
    Act,
    Anchor,
    BrokenChainError,
    ChainCheck,
    Entry,
    entry,
    row_bytes,
)

ACT = Act(
    at_ms=1,
    actor="ann",
    role="admin",
    action="site.put",
    object="lab",
    detail={"b": 1, "a": [True, None, "ü"]},
    via="token:ci",
    source="192.0.2.1",
    request_id="ab12",
    reason="CHG1",
    before="00",
    after="01",
    outcome="done",
)


def chain(count, start=START):
    rows, head = [], start
    for n in range(count):
        rows.append(entry(head, replace(ACT, at_ms=n)))
        head = Anchor(rows[-1].seq, rows[-1].hash)
    return rows


def check(rows, start=START, heads=()):
    checked = ChainCheck(start, heads)
    for row in rows:
        checked.see(row)
    checked.end()
    return checked


def test_a_row_is_hashed_as_json_that_any_language_can_write():
    text = json.dumps(
        [7, 1, "ann", "admin", "token:ci", "192.0.2.1", "site.put", "lab", "ab12", "CHG1",
         {"a": [True, None, "ü"], "b": 1}, "00", "01", "done"],
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip
    assert row_bytes(7, ACT) == text.encode()
    expected = hashlib.sha256(b"h" * 32 + text.encode()).digest()
    assert entry(Anchor(6, b"h" * 32), ACT) == Entry(7, ACT, b"h" * 32, expected)


def test_a_whole_chain_holds_and_its_end_is_known():
    rows = chain(5)
    assert rows[0].prev_hash == GENESIS
    assert check(rows).at == Anchor(5, rows[4].hash)
    assert check([]).rows == 0


CHANGED = {int: lambda v: v + 1, str: lambda v: v + "x", dict: lambda v: {**v, "b": 2}}


@pytest.mark.parametrize("name", [each.name for each in fields(Act)])
@given(at=st.integers(0, 4), data=st.data())
def test_any_field_of_any_row_that_changed_breaks_it(name, at, data):
    rows = chain(5)
    value = getattr(rows[at].act, name)
    act = replace(rows[at].act, **{name: CHANGED[type(value)](value)})
    rows[at] = replace(rows[at], act=act)
    with pytest.raises(BrokenChainError) as broken:
        check(rows)
    assert broken.value.seq == at + 1


@given(at=st.integers(0, 3))
def test_a_row_that_is_missing_doubled_or_moved_breaks_it(at):
    rows = chain(5)
    for wrong in (
        rows[:at] + rows[at + 1 :],
        rows[: at + 1] + rows[at:],
        [*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]],
    ):
        with pytest.raises(BrokenChainError):
            check(wrong)


def test_a_chain_that_was_written_anew_or_cut_short_breaks_on_a_head_kept_elsewhere():
    rows = chain(5)
    kept = Anchor(4, rows[3].hash)
    assert check(rows, heads=[kept]).rows == 5
    forged = [rows[0], *chain(4, Anchor(1, rows[0].hash))]
    forged[1] = entry(Anchor(1, rows[0].hash), replace(ACT, object="another"))
    for n in range(2, 5):
        forged[n] = entry(Anchor(forged[n - 1].seq, forged[n - 1].hash), ACT)
    assert check(forged).rows == 5  # by itself it holds
    with pytest.raises(BrokenChainError, match="kept elsewhere"):
        check(forged, heads=[kept])
    with pytest.raises(BrokenChainError, match="ends at 3"):
        check(rows[:3], heads=[kept])


def test_after_a_cut_the_first_row_follows_the_one_that_is_named():
    rows = chain(5)
    cut = Anchor(2, rows[1].hash)
    assert check(rows[2:], cut, [Anchor(1, b"gone with the rows")]).rows == 3
    with pytest.raises(BrokenChainError):
        check(rows[2:], Anchor(2, GENESIS))
    with pytest.raises(BrokenChainError):
        check(rows[2:])
