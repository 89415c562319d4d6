"""Rows as they are kept."""

import pytest

from roost_agent.alarms import row as rows
from roost_agent.alarms.row import Held, Row
from roost_protocol.errors import ProtocolError
from roost_protocol.severity import Severity

ROW = Row(
    "750.801", "app=pump", Severity.MAJOR, 5, 6, "text", {"value": 9}, 2, True, "unit", 1_000,
    Held(Severity.CLEARED, reason="gone"),
)  # fmt: skip


def test_a_row_comes_back_as_it_was():
    assert rows.load(rows.dump(ROW)) == ROW


def test_a_row_that_makes_no_sense_is_told_as_such():
    with pytest.raises(ProtocolError):
        rows.load(b"\x93\xa1x")


def test_a_set_tells_what_was_told_and_not_what_is_held():
    state = ROW.state
    state.check()
    assert (state.severity, state.count, state.flapping) == (Severity.MAJOR, 2, True)
    assert ROW.key == ("750.801", "app=pump")
