"""Holes in what the node has, told in the reports."""

from roost_agent.outbox.gaps import EXPIRED, gap, without_holes
from roost_protocol.codec import Decoder
from roost_protocol.envelope import Gap, Item, ItemKind


def row(seq):
    return Item(seq, ItemKind.EVENT, 1, b"x")


def told(prev, last, rows):
    gaps = Decoder[Gap](Gap)
    return [
        (g.first, g.last, g.reason)
        if item.kind is ItemKind.GAP and (g := gaps.decode(item.body))
        else item.seq
        for item in without_holes(prev, last, rows)
    ]


def test_rows_without_a_hole_pass_unchanged():
    assert told(4, 9, [row(5), row(6)]) == [5, 6]


def test_what_left_the_ring_is_a_gap():
    assert told(0, 9, [row(5)]) == [(1, 4, EXPIRED), 5]


def test_an_empty_ring_is_one_gap_to_the_end():
    assert told(3, 9, []) == [(4, 9, EXPIRED)]


def test_nothing_is_told_where_nothing_follows():
    assert told(9, 9, []) == []


def test_a_dropped_range_keeps_its_reason_and_starts_where_the_report_does():
    assert told(4, 9, [gap(2, 7, "full", 1), row(8)]) == [(5, 7, "full"), 8]
