"""When a changed network may stay."""

import pytest

from roost_agent.config_apply.probation import FRESH_MS, SETTLE_MS, Probation, Signs

SINCE = 10_000_000
NEW = SINCE + SETTLE_MS
OLD = NEW - 1
WITH_CENTRE = Signs(receipt_ms=SINCE - FRESH_MS)
WITHOUT = Signs(receipt_ms=SINCE - FRESH_MS - 1)


def is_reached(before, **signs):
    return Probation(before, SINCE).is_reached(Signs(**signs))


@pytest.mark.parametrize("before", [WITH_CENTRE, WITHOUT, Signs()])
def test_a_receipt_that_cannot_have_been_on_its_way_before_is_enough(before):
    assert is_reached(before, receipt_ms=NEW)
    assert not is_reached(before, receipt_ms=OLD)
    assert not is_reached(before)


def test_where_the_centre_was_reached_before_the_site_alone_is_not_enough():
    assert not is_reached(WITH_CENTRE, gateway_ms=NEW, peers_ms=[NEW, NEW])


@pytest.mark.parametrize("before", [WITHOUT, Signs()])
@pytest.mark.parametrize(
    ("gateway", "peers", "may_stay"),
    [
        (NEW, [NEW, NEW], True),
        (NEW, [NEW, OLD], True),  # two of three
        (NEW, [OLD, None], False),
        (NEW, [NEW, OLD, OLD], False),  # two of four are no majority
        (NEW, [NEW], True),
        (NEW, [OLD], False),
        (NEW, [], True),
        (OLD, [NEW, NEW], False),
        (None, [NEW, NEW], False),
    ],
)
def test_where_it_was_not_a_gateway_and_a_majority_of_the_site_are(
    before, gateway, peers, may_stay
):
    assert is_reached(before, gateway_ms=gateway, peers_ms=peers) is may_stay
