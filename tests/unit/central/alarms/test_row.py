"""One alarm's states."""

import pytest
from msgspec.structs import replace

from roost_central.alarms.row import CLEARED, Ack, AlarmRow, Shelved, isa_state
from roost_protocol.severity import Severity

OPEN = AlarmRow(
    key_id="0a", id="01A", type="750.801", entity="site=a,node=n1,app=x", severity=Severity.MAJOR,
    raised_ms=1, changed_ms=1, received_ms=2,
)  # fmt: skip
ACKED = replace(OPEN, ack=Ack("jd", 3))


@pytest.mark.parametrize(
    ("row", "latch", "state"),
    [
        (OPEN, False, "UNACK"),
        (ACKED, False, "ACKED"),
        (replace(OPEN, state=CLEARED), False, "NORM"),
        (replace(OPEN, state=CLEARED), True, "RTNUN"),
        (replace(ACKED, state=CLEARED), True, "NORM"),
        (replace(OPEN, shelf=Shelved("S", "jd", 9, "lab")), False, "SHLVD"),
        (replace(OPEN, masked_by="0b", shelf=Shelved("S", "jd", 9, "lab")), False, "DSUPR"),
        (replace(OPEN, masked_by="0b", suppressed_by="SU"), False, "OOSRV"),
    ],
)
def test_the_state_of_isa_18_2_is_the_first_that_holds(row, latch, state):
    assert isa_state(row, latch=latch) == state


def test_an_alarm_of_a_site_in_maintenance_is_out_of_service():
    assert isa_state(OPEN, latch=False, in_maintenance=True) == "OOSRV"
