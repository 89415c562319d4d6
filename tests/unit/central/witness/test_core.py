"""The witness of one site: whose word it takes, what it waits for, and what it forgets."""

from msgspec.structs import replace
from witness_site import BORN, SAID, Pair

from roost_central.witness.events import Persisted, PersistFailed, Tick, load
from roost_protocol.configuration import WITNESS, Configuration
from roost_protocol.ha import Echo, Kind

P = 7_122  # a promise
GRANTED = (Kind.GRANT, "")
OTHER = replace(SAID, cfg=Configuration(9 << 20, (0, 1), sticky=True))


def told(answer):
    return answer and (answer.kind, answer.reason)


def refused(why):
    return (Kind.REFUSE, why)


def attested(pair, now_ms):
    for lease in ("main", "site"):
        for node in (0, 1):
            pair.attest(node, now_ms, lease)


def test_it_votes_by_a_file_once_every_node_of_the_site_said_it():
    pair = Pair()
    assert told(pair.says(0, enlistment=SAID)) == refused("stale"), "it has nothing to echo yet"
    assert told(pair.enlists(0)) == refused("unlike")
    assert told(pair.enlists(1, said=OTHER)) == refused("unlike")
    assert pair.enlists(1) is None, "its start is on its way to the disk"
    assert told(pair.enlists(1)) == refused("stale"), "and it has another number since"
    assert told(pair.enlists(1)) == GRANTED
    assert (pair.disk.enlistment, pair.disk.names) == (SAID, {"c0": 0, "c1": 1})
    assert load(pair.disk.blob()) == pair.disk


def test_no_node_says_it_for_another():
    pair = Pair()
    pair.enlists(0)
    pair.says(1, enlistment=SAID, speaker="c0")
    pair.says(1, enlistment=SAID, speaker="c0")
    assert pair.disk is None
    pair.enlists(1)
    pair.enlists(0)
    assert pair.disk is not None
    assert pair.says(1, speaker="c0", kind=Kind.PREVOTE, seq=99, boot=b"0" * 16) is None
    assert pair.core.refused["member"] == 1


def test_nothing_is_answered_before_its_start_is_on_disk():
    pair = Pair()
    pair.enlists(0)
    pair.works = False
    assert pair.enlists(1) is None
    assert pair.enlists(0) is None
    pair.land(0)
    assert told(pair.enlists(0)) == refused("stale")
    assert told(pair.enlists(0)) == GRANTED


def test_a_grant_is_on_disk_before_it_is_said():
    pair = Pair()
    pair.joins()
    attested(pair, 8_000)
    pair.works = False
    assert pair.asks(0, 8_100) is None
    assert pair.waiting[-1].kept.state.records["main"].max_epoch == 64
    pair.land(8_110)
    assert told(pair.told[-1][1]) == GRANTED


def test_a_write_that_failed_is_no_grant():
    pair = Pair()
    pair.joins()
    attested(pair, 8_000)
    pair.works = False
    assert pair.asks(0, 8_100) is None
    (keep,) = pair.waiting
    pair.do(pair.core.handle(PersistFailed(keep.life, keep.token), 8_110), 8_110)
    assert told(pair.told[-1][1]) == refused("disk")


def test_it_votes_in_the_life_in_which_it_joined_for_the_boot_wait_is_over():
    pair = Pair()
    pair.joins()
    assert WITNESS in pair.disk.state.cfg.voters
    assert pair.asks(0, 100) == refused("boot-wait")
    assert pair.core.due_ms() is not None
    pair.do(pair.core.handle(Tick(), 10_001), 10_001)
    attested(pair, 10_050)
    assert pair.asks(0, 10_100) == GRANTED
    assert pair.asks(1, 10_200, epoch=97) == refused("promised")
    assert pair.asks(1, 10_200 + P, epoch=97) == GRANTED


def restarted(pair, kept=None, **more):
    again = Pair(pair.disk if kept is None else kept, boot=b"W" * 16, **more)
    again.seq = {0: 1_000, 1: 1_000}
    again.echo = {}
    return again


def running():
    """A witness that granted node 0 its epoch 64."""
    pair = Pair()
    pair.joins()
    attested(pair, 8_000)
    assert pair.asks(0, 8_100) == GRANTED
    return pair


def test_a_restart_goes_on_by_its_file_after_a_promise():
    again = restarted(running(), born=BORN + 50)
    assert told(again.enlists(0, 10)) == refused("boot-wait")
    assert again.asks(0, P - 1, Kind.RENEW, 64) == refused("boot-wait")
    assert told(again.enlists(0, P)) == GRANTED
    assert again.asks(0, P, Kind.RENEW, 64) == GRANTED


def test_after_a_restart_a_new_owner_waits_for_every_node_s_word():
    again = restarted(running())
    again.enlists(0, P), again.enlists(1, P)
    assert again.asks(1, P, epoch=97) == refused("wary")
    again.do(again.core.handle(Tick(), P + 10_000), P + 10_000)
    attested(again, P + 10_000)
    assert again.asks(1, P + 10_100, epoch=97) == GRANTED


def test_a_start_that_the_disk_knows_nothing_of_makes_it_blank():
    pair = running()
    again = restarted(pair, born=BORN + 50)
    again.enlists(0, P)
    inc = again.disk.state.inc
    assert inc > BORN + 50
    older = restarted(pair, born=BORN + 90)  # of before that start
    older.enlists(0, P)
    older.says(1, P, kind=Kind.PREVOTE, name="main", echo={WITNESS: Echo(inc, 3, 0)})
    assert older.disk.state.cfg is None
    assert older.disk.state.records == {}
    assert older.disk.state.inc > BORN + 90
    older.says(1, P, kind=Kind.PREVOTE, name="main", echo={WITNESS: Echo(1 << 60, 3, 0)})
    older.says(1, P, kind=Kind.PREVOTE, name="main", echo={WITNESS: Echo(BORN + 1, 3, 0)})
    assert older.core._life == 2, "once"


def test_another_file_is_another_beginning():
    pair = running()
    life, token = pair.core._life, 1
    pair.works = False
    for node in (0, 1):
        pair.enlists(node, 9_000, said=OTHER)
    pair.do(pair.core.handle(Persisted(life, token), 9_000), 9_000)
    assert not pair.core._voter.has_begun, "of the voter before this one"
    pair.land(9_000)
    assert pair.disk.enlistment == OTHER
    assert pair.core._voter.electorate.cfgver == OTHER.cfg.cfgver
    assert WITNESS not in pair.core._voter.electorate.voters
    before = len(pair.told)
    pair.do(pair.core.handle(Persisted(life, token), 9_000), 9_000)
    pair.do(pair.core.handle(PersistFailed(life, token), 9_000), 9_000)
    assert len(pair.told) == before, "of the voter before this one"


def test_what_is_not_for_it_or_came_before_is_counted():
    pair = Pair()
    pair.says(0, to=1)
    pair.says(0, enlistment=None)
    pair.says(0, seq=1)
    assert pair.core.refused == {"receiver": 1, "enlistment": 1, "replayed": 1}
    assert pair.core.due_ms() is None
    pair.do(pair.core.handle(Tick(), 5), 5)


def test_what_a_voter_is_not_asked_is_not_answered():
    pair = running()
    more = {"name": "main", "epoch": 64, "cfgver": SAID.cfg.cfgver + 1}
    assert pair.says(0, 9_000, kind=Kind.YIELD, **more) is None


def test_one_without_a_voter_takes_a_number_above_all_that_nodes_remember():
    pair = Pair()
    pair.says(0, echo={WITNESS: Echo(BORN + 70, 3, 0)}, enlistment=SAID)
    assert pair.told[-1][1].inc == BORN + 70


def test_a_third_name_that_says_the_same_file_is_no_node_of_it():
    pair = Pair()
    pair.enlists(0)
    pair.enlists(1)
    pair.enlists(0)
    pair.seq[0] = 50
    more = {"enlistment": SAID, "speaker": "c9", "boot": b"9" * 16}
    assert pair.says(0, **more) is None
    assert pair.disk.names == {"c0": 0, "c1": 1}
