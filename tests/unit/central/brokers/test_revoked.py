"""Who is out, of what the identities say."""

from roost_central.brokers.revoked import Ended, standing
from roost_central.enrol.states import State


def ended(state, *, box=1, serial="a1", node="lab.n1"):
    return Ended(node, box, serial, state, 7_000)


def test_a_revoked_node_is_denied_and_its_certificate_revoked_since_then():
    now = standing([ended(State.REVOKED)], {})
    assert (now.denied, now.revoked) == ({"lab.n1"}, {"a1": 7})


def test_a_slot_with_a_live_box_is_not_denied_and_the_old_box_is_revoked():
    for state in (State.REVOKED, State.REPLACED, State.DECOMMISSIONED):
        now = standing([ended(state)], {"lab.n1": 2})
        assert (now.denied, now.revoked) == (set(), {"a1": 7})


def test_what_a_renewal_left_is_not_revoked():
    assert standing([ended(State.REPLACED)], {"lab.n1": 1}).revoked == {}


def test_the_old_certificates_of_a_revoked_node_are_revoked_with_it():
    rows = [ended(State.REPLACED), ended(State.REVOKED, serial="b2")]
    assert standing(rows, {}).revoked.keys() == {"a1", "b2"}
