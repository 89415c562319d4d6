"""How many people stand behind an order, and for how long it counts, by its verb alone."""

import pytest
from orders import NOW_MS, fields

from roost_protocol.errors import ProtocolError
from roost_protocol.order import Order
from roost_protocol.order_backing import check_backing
from roost_protocol.order_verbs import VERBS

LIFE_MS = 900_000


def fault(verb, **more):
    said = fields(verb=verb, not_after_ms=NOW_MS + LIFE_MS, **more)
    try:
        check_backing(VERBS[verb], Order(**said))
    except ProtocolError as err:
        return err.code
    return ""


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"approved_by": "bob"}, ""),
        ({}, "two"),
        ({"approved_by": "ada"}, "two"),
        ({"approved_by": "bob", "not_before_ms": NOW_MS - 1}, "life"),
    ],
)
def test_a_reinstall_has_two_people_and_a_quarter_of_an_hour(more, code):
    assert fault("host-reinstall", **more) == code


def test_other_verbs_go_by_the_policy():
    assert fault("reboot", not_before_ms=NOW_MS - 86_000_000) == ""
