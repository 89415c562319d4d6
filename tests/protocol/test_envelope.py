"""The order of the items of a report."""

import pytest

from roost_protocol.envelope import Item, ItemKind, Lane, Report
from roost_protocol.errors import ProtocolError


def report(prev, *items):
    return Report(
        v=1, node="lab.n1", boot_id=bytes(16), incarnation=1, path="wan1", sent_ms=0,
        lane=Lane.BULK, stream=bytes(16), prev=prev,
        items=[Item(seq, kind, 0, b"") for seq, kind in items],
    )  # fmt: skip


EVENT, GAP = ItemKind.EVENT, ItemKind.GAP


@pytest.mark.parametrize(
    "sent",
    [
        report(0),
        report(4, (5, EVENT), (6, EVENT)),
        report(4, (20, GAP), (21, EVENT)),
        report(4, (5, GAP)),
    ],
)
def test_items_that_follow_each_other_are_in_order(sent):
    sent.check_order()


@pytest.mark.parametrize(
    ("sent", "field", "bound"),
    [
        (report(4, (6, EVENT)), "items[0].seq", 5),
        (report(4, (5, EVENT), (5, EVENT)), "items[1].seq", 6),
        (report(4, (5, EVENT), (5, GAP)), "items[1].seq", 6),
        (report(4, (4, GAP)), "items[0].seq", 5),
    ],
)
def test_items_out_of_order_are_refused_with_field_and_bound(sent, field, bound):
    with pytest.raises(ProtocolError) as refused:
        sent.check_order()
    assert (refused.value.code, refused.value.field, refused.value.bound) == ("order", field, bound)


def test_the_last_of_a_report_is_the_mark_after_it():
    assert report(4).last == 4
    assert report(4, (9, GAP)).last == 9
