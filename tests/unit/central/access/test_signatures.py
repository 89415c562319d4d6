"""What explains a signature, and what does not."""

import pytest

from roost_central.access.chain import REFUSED, Act
from roost_central.access.signatures import SKEW_MS, Place, SignatureCheck, told
from roost_central.signer.row import BEGIN, BrokenRecordError, Row, chained, encode_row

KEY = "ab" * 32


def lines_of(*rows, head=BEGIN, first=1):
    """Write rows as the signer does."""
    found = []
    for number, row in enumerate(rows, first):
        raw = encode_row(Row(n=number, **row))
        head = chained(head, raw)
        found.append(f"{head} {raw.decode()}")
    return found


AT_MS = 1_800_000_000_000
ISSUED = {
    "uid": 9, "at_ms": AT_MS, "verb": "issue",
    "kind": "node", "name": "edge.n1", "serial": "f", "key": KEY,
}  # fmt: skip


def act(about="edge.n1", *, outcome="done", at_ms=AT_MS, **detail):
    return Act(at_ms, "ann", "admin", "enrol.approve", about, detail, outcome=outcome)


def checked(*acts, rows=(ISSUED,)):
    check = SignatureCheck()
    for line in lines_of(*rows):
        check.see(line)
    for each in acts:
        check.hear(each)
    return check


def test_a_certificate_is_explained_by_an_act_that_names_its_holder_and_its_key():
    assert not checked(act(keys=["00", KEY])).missing


@pytest.mark.parametrize(
    "other",
    [
        act("edge.n2", keys=[KEY]),
        act(keys=["cd" * 32]),
        act(keys=KEY),
        act(keys=[7, None]),
        act(outcome=REFUSED, keys=[KEY]),
        act(order=KEY),
        act(),
        act(at_ms=AT_MS + SKEW_MS + 1, keys=[KEY]),  # written afterwards
    ],
)
def test_nothing_else_explains_it(other):
    [row] = checked(other).missing
    assert told(row) == "signature 1: node edge.n1, serial f, asked for by user 9"


def test_a_key_that_was_signed_twice_for_one_holder_is_explained_once():
    """Its answer was lost, and the box asked again."""
    assert not checked(act(keys=[KEY]), rows=(ISSUED, ISSUED)).missing


def test_an_act_is_as_old_as_its_signature_but_for_the_skew_of_two_clocks():
    assert not checked(act(at_ms=AT_MS + SKEW_MS, keys=[KEY])).missing
    assert not checked(act(at_ms=1, keys=[KEY])).missing
    later = {**ISSUED, "at_ms": AT_MS + 2 * SKEW_MS}
    between = act(at_ms=AT_MS + 2 * SKEW_MS, keys=[KEY])
    assert [row.n for row in checked(between, rows=(ISSUED, later)).missing] == [1]
    assert not checked(act("record", at_ms=AT_MS * 2, signatures=[1])).missing


def test_an_order_is_explained_by_the_hash_of_its_bytes():
    order = {"uid": 9, "at_ms": AT_MS, "verb": "order", "order": KEY}
    assert not checked(act("any", order=KEY), rows=(order,)).missing
    assert [row.n for row in checked(act("any", keys=[KEY]), rows=(order,)).missing] == [1]


def test_lists_and_beginnings_need_no_explanation():
    rows = ({"uid": 9, "verb": "crl", "ca": "node"}, {"uid": 9, "verb": "begin", "after": KEY})
    assert checked(rows=rows).seen == 2
    assert not checked(rows=rows).missing


def test_somebody_may_say_that_a_row_is_well():
    check = checked(act("record", signatures=[1, "2"]), rows=(ISSUED, ISSUED))
    assert [row.n for row in check.missing] == [2]


def test_a_record_that_was_touched_is_not_gone_along():
    first, second = lines_of(ISSUED, ISSUED)
    for bad in (second, first.replace("edge.n1", "edge.n2"), "no row", first[1:]):
        with pytest.raises(BrokenRecordError):
            SignatureCheck().see(bad)
    check = SignatureCheck()
    check.see(first)
    with pytest.raises(BrokenRecordError):
        check.see(lines_of(ISSUED, head="1" * 64, first=2)[0])


def test_a_record_that_was_begun_behind_another_is_gone_on_with():
    check = SignatureCheck()
    for line in lines_of(ISSUED):
        check.see(line)
    begin = {"uid": 9, "verb": "begin", "after": check.at.head}
    for line in lines_of(begin, ISSUED):
        check.see(line)
    assert (check.at.n, [row.n for row in check.missing]) == (2, [1, 2])
    with pytest.raises(BrokenRecordError):
        check.see(lines_of({**begin, "after": KEY})[0])


def test_what_was_looked_at_is_no_row_that_was_signed_later():
    check = SignatureCheck()
    for line in lines_of({**ISSUED, "at_ms": 5}):
        check.see(line)
    for at_ms, missing in ((4, 1), (5, 0)):
        seen = Act(at_ms, "ann", "admin", "signatures.accept", "record", {"signatures": [1]})
        check.hear(seen)
        assert len(check.missing) == missing


def test_it_goes_on_where_it_was():
    first, second = lines_of(ISSUED, ISSUED)
    check = SignatureCheck(Place(1, first[:64]))
    assert check.see(second).n == 2
    assert check.at == Place(2, second[:64])
