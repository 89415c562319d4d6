"""Orders about updates name a job, and the offer by its digest."""

import pytest

from roost_protocol.errors import ProtocolError
from roost_protocol.order import body_digest, check_body
from roost_protocol.update_verbs import UPDATE_VERBS, UpdateOffer


def test_the_body_of_an_offer_is_the_one_that_its_order_names():
    body = b"an offer"
    act = UpdateOffer(job="1" * 32, attempt=1, digest=body_digest(body))
    check_body(act, body)
    for other in (b"", b"another offer"):
        with pytest.raises(ProtocolError):
            check_body(act, other)


def test_no_person_orders_them_by_hand():
    assert not any(each.is_by_hand for each in UPDATE_VERBS.values())
