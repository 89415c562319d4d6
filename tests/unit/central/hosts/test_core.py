"""Whose word on a site's hosts counts, and what it changed."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host, report

from roost_central.hosts.core import HostsWord, take, words_of
from roost_protocol.errors import ProtocolError


def taken(kept, said, speaker="lab.n1"):
    """Return the words that count and the transitions; of one word alone the word."""
    found = take([] if kept is None else kept, said, speaker, at_ms=5_000, now_ms=6_000)
    if found is None:
        return None
    words, moves = found
    return (words[0] if len(words) == 1 else words), moves


def kept(*hosts, **said):
    return [HostsWord("lab", 1, 2, report(*hosts, **said))]


def test_each_host_of_a_first_report_is_a_transition_from_nothing():
    word, moves = taken(None, report(host("n1"), host("n2", "locked")))
    assert (word.site, word.at_ms, word.received_ms) == ("lab", 5_000, 6_000)
    assert [(move.node, move.before, move.after.avail) for move in moves] == [
        ("lab.n1", None, "available"),
        ("lab.n2", None, "online"),
    ]


def test_a_transition_is_told_once():
    before = kept(host("n1"), host("n2"))
    _, moves = taken(before, report(host("n1", task="x"), host("n2", "failed", cause="silent")))
    assert [(m.node, m.before, m.after.cause, m.epoch, m.by) for m in moves] == [
        ("lab.n2", ("unlocked", "enabled", "available"), "silent", 8, "lab.n1")
    ]


def test_the_highest_epoch_counts_whatever_comes_after_it():
    before = kept(host("n1", "failed"), epoch=9, by="lab.n2")
    assert taken(before, report(host("n1"), epoch=8)) is None
    assert taken(before, report(host("n1"), epoch=10)) is not None


def test_who_claimed_an_epoch_takes_it_back_as_where_local_ha_is_turned_off():
    before = kept(host("n1"), host("n2", "failed"), epoch=9)
    words, _ = take(before, report(host("n1"), epoch=0), "lab.n1", at_ms=5, now_ms=6)
    assert [(word.report.by, word.report.epoch) for word in words] == [("lab.n1", 0)]
    alone = report(host("n2"), epoch=0, by="lab.n2")
    assert take(before, alone, "lab.n2", at_ms=5, now_ms=6) is None
    words, _ = take(words, alone, "lab.n2", at_ms=7, now_ms=8)
    assert [word.report.by for word in words] == ["lab.n1", "lab.n2"]


def test_of_one_epoch_there_is_one_holder():
    before = kept(host("n1"), epoch=8, by="lab.n2")
    assert taken(before, report(host("n1", "failed"), epoch=8)) is None
    word, _ = taken(before, report(host("n1", "failed"), by="lab.n2"), speaker="lab.n2")
    assert word.report.hosts[0].avail == "failed"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (report(host("n1"), by="lab.n2"), "by"),
        (report(host("n1"), by="den.n1"), "by"),
        (report(host("n1"), host("n2"), epoch=0), "epoch"),
    ],
)
def test_nobody_speaks_for_another_without_the_lease(said, code):
    with pytest.raises(ProtocolError) as caught:
        taken(None, said)
    assert caught.value.code == code


def test_a_node_alone_speaks_for_itself():
    word, _ = taken(None, report(host("n1"), epoch=0))
    assert [*words_of([word])] == ["lab.n1"]


def test_what_is_said_of_a_host_names_who_says_so_and_when():
    word, _ = taken(None, report(host("n1", "degraded"), is_mnfa=True))
    found = words_of([word])["lab.n1"]
    assert (found.triple, found.epoch, found.by) == (
        ("unlocked", "enabled", "degraded"), 8, "lab.n1",
    )  # fmt: skip
    assert (found.at_ms, found.received_ms, found.is_mnfa) == (5_000, 6_000, True)


def test_nodes_of_a_site_without_a_lease_speak_side_by_side():
    before = kept(host("n1"), epoch=0, by="lab.n1")
    words, moves = taken(before, report(host("n2", "locked"), epoch=0, by="lab.n2"), "lab.n2")
    assert {node: word.by for node, word in words_of(words).items()} == {
        "lab.n1": "lab.n1",
        "lab.n2": "lab.n2",
    }
    assert [(move.node, move.before) for move in moves] == [("lab.n2", None)]
    again, moves = taken(words, report(host("n2"), epoch=0, by="lab.n2"), "lab.n2")
    assert [len(again), moves[0].before] == [2, ("locked", "disabled", "online")]


def test_who_holds_the_lease_speaks_for_all_that_spoke_for_themselves():
    alone = [*kept(host("n1"), epoch=0), *kept(host("n2"), epoch=0, by="lab.n2")]
    word, moves = taken(alone, report(host("n1"), host("n2", "failed"), epoch=1))
    assert [word.report.epoch, [move.node for move in moves]] == [1, ["lab.n2"]]
    assert taken([word], report(host("n2"), epoch=0, by="lab.n2"), "lab.n2") is None
