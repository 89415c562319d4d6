"""The witness at the centre, as a node knows it: whether it is there, and who shall vote."""

import site_file
from msgspec.structs import replace

from roost_agent.ha.config_file import check
from roost_agent.ha.proposer_events import Wanted
from roost_agent.ha.start import Who
from roost_agent.ha.witness import Witness
from roost_protocol.configuration import WITNESS, Configuration
from roost_protocol.electorate import Electorate
from roost_protocol.ha import Echo, Kind, LeaseFrame, Nonce

ID = b"v" * 16
PROBE, GONE, BACK, LOST = 20_000, 60_000, 600_000, 600_000
FILE = 7 << 20
PAIR = Electorate(FILE, (0, 1), (0, 1), sticky=True)
THREE = PAIR.under(Configuration(FILE + 1, (0, 1, WITNESS), sticky=False))
ALONE_WITH_IT = PAIR.under(Configuration(FILE + 2, (0, WITNESS), sticky=False))
ALONE = PAIR.under(Configuration(FILE + 3, (0,), sticky=True))


def config():
    said = site_file.table()
    said["voters"], said["witness"] = ["c0", "c1"], "none"
    config, faults = check(said)
    assert not faults
    return replace(config, witness="central")


class Seen:
    """Node 0's view, and a witness that answers while it is there."""

    def __init__(self):
        self.witness = Witness(Who("lab", 0, b"0" * 16, 5), config(), {"site": 0, "main": 0}, 0)
        self.seq = 0

    def answer(self, question, now_ms, kind=Kind.GRANT, reason="", echo=None):
        self.seq += 1
        nonce = question if isinstance(question, Nonce) else question.nonce
        frame = LeaseFrame(
            site="lab", node=WITNESS, boot=b"w" * 16, inc=1, path=0, seq=self.seq, boot_ms=0,
            period_ms=0, lhm=1, cfgver=FILE, echo=echo or {}, to=0, kind=kind, name="site", epoch=0,
            nonce=nonce, owner=0, owner_boot=b"0" * 16, reason=reason,
        )  # fmt: skip
        return self.witness.heard(frame, now_ms)

    def until(self, now_ms, since_ms=0, **more):
        """Let it answer every question from a time to another, hearing both nodes just now."""
        at = since_ms
        while at <= now_ms:
            for question in self.witness.probe(ID, at):
                self.answer(question, at + 30, echo={0: Echo(5, 1, 0), 1: Echo(5, 1, 0)} | more)
            at += PROBE


def test_it_is_asked_at_once_and_then_at_its_interval_what_the_file_says():
    seen = Seen()
    (question,) = seen.witness.probe(ID, 0)
    assert (question.to, question.kind) == (WITNESS, Kind.ENLIST)
    assert question.enlistment.nodes == (0, 1, 2)
    assert question.enlistment.leases == {"site": 0, "main": 0}
    assert seen.witness.probe(ID, PROBE - 1) == []
    assert seen.witness.due_ms == PROBE
    assert len(seen.witness.probe(ID, PROBE)) == 1


def test_it_is_there_from_the_asking_of_what_it_answered():
    seen = Seen()
    assert (seen.witness.is_there(0), seen.witness.silent_ms(0)) == (False, None)
    (question,) = seen.witness.probe(ID, 0)
    assert seen.answer(question, 900)
    assert seen.witness.silent_ms(GONE) == GONE
    assert seen.witness.is_there(GONE)
    assert not seen.witness.is_there(GONE + 1)
    assert seen.witness.why == ""
    seen.witness.probe(ID, GONE + 1)
    assert seen.witness.why == "it does not answer"


def test_an_answer_to_another_question_counts_for_nothing():
    seen = Seen()
    (first,) = seen.witness.probe(ID, 0)
    (second,) = seen.witness.probe(ID, PROBE)
    assert seen.answer(first, PROBE)
    assert seen.answer(replace(second.nonce, inc=4), PROBE), "of an earlier start of this agent"
    assert not seen.witness.is_there(PROBE)
    assert not seen.answer(Nonce(ID, 5, 1), PROBE), "a lease's"


def test_one_that_started_is_asked_again_at_once():
    seen = Seen()
    (question,) = seen.witness.probe(ID, 0)
    seen.answer(question, 30, Kind.REFUSE, "stale")
    assert (seen.witness.due_ms, seen.witness.why) == (530, "stale")
    (question,) = seen.witness.probe(ID, 530)
    seen.answer(question, 560, Kind.REFUSE, "unlike")
    assert (seen.witness.due_ms, seen.witness.why) == (530 + PROBE, "unlike")


def test_a_pair_wants_it_once_it_answered_and_heard_both_for_long_enough():
    seen = Seen()
    seen.until(BACK - PROBE)
    assert seen.witness.wanted(PAIR, {}, BACK - 1) is None
    seen.until(BACK, BACK)
    assert seen.witness.wanted(PAIR, {}, BACK) == Wanted(
        WITNESS, is_added=True, why="the witness answers"
    )
    assert seen.witness.wanted(PAIR, {1: 0}, BACK) is None, "both have to accept it"
    seen.until(BACK + GONE, BACK + PROBE)
    seen.witness._hears[1] = 0
    assert seen.witness.wanted(PAIR, {}, BACK + GONE) is None, "it does not hear the other"


def test_a_break_makes_it_wait_anew():
    seen = Seen()
    seen.until(BACK - PROBE)
    seen.until(BACK + 2 * GONE, BACK + GONE)
    assert seen.witness.wanted(PAIR, {}, BACK + 2 * GONE) is None


def test_of_three_it_is_let_go_while_both_are_there():
    seen = Seen()
    seen.until(BACK)
    assert seen.witness.wanted(THREE, {}, BACK + GONE) is None
    wanted = seen.witness.wanted(THREE, {}, BACK + GONE + 1)
    assert wanted == Wanted(WITNESS, is_added=False, why="the witness does not answer")
    assert seen.witness.wanted(THREE, {1: 0}, BACK + GONE + 1) is None, "nobody could accept it"


def test_a_peer_that_neither_hears_for_long_is_let_go_and_then_the_witness():
    seen = Seen()
    seen.until(BACK)
    for at in range(BACK + PROBE, BACK + LOST + GONE, PROBE):
        for question in seen.witness.probe(ID, at):
            seen.answer(question, at + 30, echo={1: Echo(5, 1, at - BACK)})
    now_ms = BACK + LOST
    assert seen.witness.wanted(THREE, {1: BACK + 1}, now_ms) is None
    wanted = seen.witness.wanted(THREE, {1: BACK}, now_ms)
    assert (wanted.node, wanted.is_added) == (1, False)
    after = seen.witness.wanted(ALONE_WITH_IT, {1: BACK}, now_ms)
    assert (after.node, after.is_added) == (WITNESS, False)
    assert seen.witness.wanted(ALONE, {1: BACK}, now_ms) is None


def test_a_peer_that_the_witness_hears_is_not_let_go():
    seen = Seen()
    seen.until(BACK + LOST)
    assert seen.witness.wanted(THREE, {1: 0}, BACK + LOST) is None


def test_a_peer_that_is_back_votes_again():
    seen = Seen()
    for electorate in (ALONE, ALONE_WITH_IT):
        wanted = seen.witness.wanted(electorate, {}, 0)
        assert (wanted.node, wanted.is_added) == (1, True)


def test_where_three_nodes_vote_it_is_not_needed():
    seen = Seen()
    four = PAIR.under(Configuration(FILE + 2, (0, 1, 2, WITNESS), sticky=False))
    assert not seen.witness.wanted(four, {}, 0).is_added
    assert seen.witness.wanted(PAIR.under(Configuration(FILE + 3, (0, 1, 2), False)), {}, 0) is None
