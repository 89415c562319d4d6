"""The quantile of a peer's gaps."""

from roost_agent.ha.gaps import BEATS_MAX, SLOT_MS, SLOTS, Gaps

H_MS = 100


def test_nothing_counted_is_no_gap():
    assert Gaps(H_MS).quantile_ms(0) == 0


def test_one_long_gap_in_a_thousand_is_the_exception():
    gaps = Gaps(H_MS)
    for n in range(1_000):
        gaps.add(99, n)
    assert gaps.quantile_ms(1_000) == 100
    gaps.add(410, 1_001)
    assert gaps.quantile_ms(3_000) == 100, "1 of 1,001"
    gaps.add(410, 3_001)
    assert gaps.quantile_ms(3_001) == 425, "the second counts at once, by the edge of its bucket"


def test_a_gap_past_the_last_bucket_counts_as_the_longest():
    gaps = Gaps(H_MS)
    gaps.add(1_000_000, 0)
    assert gaps.quantile_ms(0) == BEATS_MAX * H_MS


def test_what_is_older_than_ten_minutes_is_forgotten():
    gaps = Gaps(H_MS)
    gaps.add(900, 0)
    gaps.add(10, SLOT_MS)
    assert gaps.quantile_ms((SLOTS - 1) * SLOT_MS) == 925
    assert gaps.quantile_ms(SLOTS * SLOT_MS) == 25
    assert gaps.quantile_ms((SLOTS + 1) * SLOT_MS) == 0
