from hypothesis import given, settings
from hypothesis import strategies as st

from roost_central.ingest.core import Ledger, Verdict
from roost_protocol.envelope import Item, ItemKind, Lane, Report


def report(prev, count, *, stream=b"s" * 16, gap_to=None):
    items = [Item(prev + 1 + i, ItemKind.EVENT, 0, b"") for i in range(count)]
    if gap_to is not None:
        items = [Item(gap_to, ItemKind.GAP, 0, b"")]
    return Report(
        v=1,
        node="lab.n1",
        boot_id=b"b" * 16,
        incarnation=1,
        path="wan1",
        sent_ms=0,
        lane=Lane.BULK,
        stream=stream,
        prev=prev,
        items=items,
    )


KEY = ("lab.n1", b"s" * 16)


def test_a_new_stream_begins_at_zero():
    ledger = Ledger({})
    assert ledger.judge(report(0, 3)) is Verdict.APPLY
    assert ledger.mark(KEY) == 3


def test_a_report_below_the_mark_is_a_duplicate():
    ledger = Ledger({KEY: 5})
    assert ledger.judge(report(2, 3)) is Verdict.DUPLICATE
    assert ledger.judge(report(2, 9)) is Verdict.DUPLICATE, "also when it reaches past the mark"
    assert ledger.mark(KEY) == 5


def test_a_report_above_the_mark_is_not_applied():
    ledger = Ledger({KEY: 5})
    assert ledger.judge(report(6, 3)) is Verdict.AHEAD
    assert ledger.mark(KEY) == 5


def test_a_second_copy_in_the_same_batch_is_a_duplicate():
    ledger = Ledger({KEY: 5})
    assert ledger.judge(report(5, 3)) is Verdict.APPLY
    assert ledger.judge(report(5, 3)) is Verdict.DUPLICATE
    assert ledger.judge(report(8, 1)) is Verdict.APPLY


def test_an_empty_report_is_applied_and_moves_nothing():
    ledger = Ledger({KEY: 5})
    assert ledger.judge(report(5, 0)) is Verdict.APPLY
    assert ledger.moved == {}


def test_a_gap_moves_the_mark_over_what_is_lost():
    ledger = Ledger({KEY: 5})
    assert ledger.judge(report(5, 0, gap_to=99)) is Verdict.APPLY
    assert ledger.mark(KEY) == 99


def test_streams_do_not_know_each_other():
    ledger = Ledger({KEY: 5})
    assert ledger.judge(report(0, 2, stream=b"t" * 16)) is Verdict.APPLY
    assert ledger.mark(KEY) == 5


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60),
)
def test_under_any_duplication_and_order_each_item_takes_effect_once_and_in_order(sizes, script):
    """The agent goes back to the mark that a receipt repeats; batches commit or fail."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    total = sum(sizes)
    committed, effects = {}, []
    ledger, pending = Ledger(committed), []

    def take(index):
        message = report(starts[index], sizes[index])
        if ledger.judge(message) is Verdict.APPLY:
            pending.extend(item.seq for item in message.items)

    for number, commits in script:
        take(number % len(sizes))
        if commits:
            committed.update(ledger.moved)
            effects += pending
        if commits or number % 3 == 0:  # else the batch grows; without commit it failed
            ledger, pending = Ledger(committed), []
    ledger, pending = Ledger(committed), []
    while ledger.mark(KEY) < total:
        take(starts.index(ledger.mark(KEY)))
    assert effects + pending == list(range(1, total + 1))
