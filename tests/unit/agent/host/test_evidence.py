"""Who heard whom by which path: each change once, in the words of who tells it."""

from roost_agent.host.evidence import MINOR, EvidenceLog
from roost_agent.host.moment import Moment
from roost_agent.host.sight import Sight
from roost_protocol.host import EVIDENCE_MAX

WAYS = ("lan/udp", "oob/c0")
BOTH = 0b11


class Rig:
    """What one node hears of n2, tick by tick."""

    def __init__(self):
        self.log, self.ms = EvidenceLog(), 0

    def tick(self, by_way=BOTH, times=1, **seen_by):
        for _ in range(times):
            self.ms += 1_000
            sight = Sight("n2", bool(by_way), ways=WAYS, by_way=by_way, seen_by=seen_by)
            self.log.tick([sight], Moment(self.ms, self.ms))

    def told(self):
        return [(each.node, each.path, each.text) for each in self.log.kept]


def test_a_path_that_falls_silent_is_told_once_and_so_is_its_return():
    rig = Rig()
    rig.tick()
    rig.tick(0b01, times=MINOR - 1)
    assert rig.told() == []
    rig.tick(0b01, times=5)
    assert rig.told() == [("n2", "oob/c0", f"silent for {MINOR} ticks")]
    rig.tick()
    assert rig.told()[1:] == [("n2", "oob/c0", f"heard again after {MINOR + 4} ticks")]


def test_a_path_that_never_brought_anything_is_no_change():
    rig = Rig()
    rig.tick(0b01, times=20)
    assert rig.told() == []


def test_who_still_hears_it_there_is_said_with_the_silence():
    rig = Rig()
    rig.tick(n3=BOTH, n4=0b01)
    rig.tick(0, times=MINOR, n3=BOTH, n4=0b01)
    assert rig.told() == [
        ("n2", "lan/udp", f"silent for {MINOR} ticks; heard there by n3, n4"),
        ("n2", "oob/c0", f"silent for {MINOR} ticks; heard there by n3"),
    ]


def test_what_a_third_host_hears_is_told_when_it_changes_and_not_when_that_one_is_silent():
    rig = Rig()
    rig.tick(n3=BOTH)
    rig.tick(n3=0b01)
    rig.tick()
    rig.tick(n3=BOTH)
    assert rig.told() == [
        ("n2", "oob/c0", "n3 hears it no more"),
        ("n2", "oob/c0", "n3 hears it again"),
    ]


def test_the_last_changes_are_kept_and_no_more():
    rig = Rig()
    for n in range(3 * EVIDENCE_MAX):
        rig.tick(n3=n % 2)
    assert len(rig.told()) == EVIDENCE_MAX
    assert rig.log.kept[-1].at_ms == rig.ms
