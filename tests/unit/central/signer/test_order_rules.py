"""Which orders the signer agrees to, whatever the centre says."""

import pytest
from orders import HOUR_MS, NOW_MS, OrderPen

from roost_central.signer.core import Policy
from roost_central.signer.order_rules import CLOCK_MS, checked
from roost_protocol.errors import ProtocolError

PEN = OrderPen()
POLICY = Policy("edge.example")
REBOOT = {"verb": "reboot", "given": {}, "reason": "kernel", "approved_by": "bob"}

REINSTALL = {
    "verb": "host-reinstall", "reason": "broken", "approved_by": "bob",
    "not_after_ms": NOW_MS + 900_000,
    "given": {
        "component": "os", "digest": "0a" * 32, "expect": "", "force": False, "length": 300,
        "node": "n2", "version": "2.0",
    },
}  # fmt: skip


def code_of(policy=POLICY, wall_ms=NOW_MS, **changes):
    try:
        checked(PEN.write(**changes), policy, wall_ms)
    except ProtocolError as err:
        return err.code
    return ""


def test_a_good_order_is_agreed_to():
    assert code_of() == ""
    assert code_of(**REBOOT) == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"verb": "wipe"}, "verb"),
        ({"given": {"what": "disks"}}, "given"),
        (REBOOT | {"reason": ""}, "reason"),
        (REBOOT | {"approved_by": ""}, "two"),
        (REBOOT | {"approved_by": "ada"}, "two"),
        ({"by": ""}, "by"),
        ({"node": "+.n1"}, "name"),
        ({"not_before_ms": NOW_MS - CLOCK_MS - 1}, "time"),
        ({"not_before_ms": NOW_MS + CLOCK_MS + 1}, "time"),
        ({"not_after_ms": NOW_MS + 25 * HOUR_MS}, "life"),
    ],
)
def test_what_breaks_a_rule_is_refused(changes, code):
    assert code_of(**changes) == code


def test_nothing_is_signed_for_the_time_to_come():
    later = NOW_MS + 48 * HOUR_MS
    assert code_of(not_before_ms=later, not_after_ms=later + HOUR_MS) == "time"


def test_a_policy_may_want_more():
    assert code_of(Policy("edge.example", orders_never=("resync",))) == "policy"
    assert code_of(Policy("edge.example", orders_by_two=("resync",))) == "two"
    assert code_of(Policy("edge.example", orders_by_two=()), **REBOOT | {"approved_by": ""}) == ""
    short = Policy("edge.example", order_hours_max=2)
    assert code_of(short, not_after_ms=NOW_MS + 3 * HOUR_MS) == "time"


def test_a_host_is_installed_anew_by_two_people_within_a_quarter_of_an_hour_whatever_the_policy():
    kind = Policy("edge.example", orders_by_two=())
    assert code_of(kind, **REINSTALL) == ""
    assert code_of(kind, **REINSTALL | {"approved_by": ""}) == "two"
    assert code_of(kind, **REINSTALL | {"approved_by": "ada"}) == "two"
    assert code_of(kind, **REINSTALL | {"not_after_ms": NOW_MS + 900_001}) == "life"
