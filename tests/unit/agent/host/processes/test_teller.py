"""What is told of watched processes: alarms of the real table, and states that wait for no disk."""

from process_stage import Alarms, NoOutbox

from roost_agent.host.processes.core import Processes
from roost_agent.host.processes.definition import Definition
from roost_agent.host.processes.event import Died, Looked
from roost_agent.host.processes.teller import Teller
from roost_agent.outbox.latest import AGAIN_MS
from roost_agent.outbox.store import LaneCounts
from roost_protocol.envelope import Lane
from roost_protocol.severity import Severity

KEY = ("200.006", "process=pump")


class Clock:
    now_ms = 0

    def wall_ms(self):
        return self.now_ms + 1_000_000

    def boot_ms(self):
        return self.now_ms

    mono_ms = boot_ms


class Node:
    """One process, and what is told of it."""

    def __init__(self, *, refused=None, stands=()):
        pump = Definition(process="pump", file="f", pidfile="/p", severity="critical")
        self.clock = Clock()
        self.core = Processes([pump], (), 0)
        self.alarms = Alarms()
        self.alarms.stand = {key: (None, {}) for key in stands}
        self.teller = Teller(self.core, refused or {}, NoOutbox(), self.alarms, self.clock)

    def tell(self, event, now_ms):
        self.clock.now_ms = now_ms
        self.core.handle(event, now_ms)
        self.core.tick(now_ms)
        self.teller.look()


def test_a_failure_is_raised_once_with_its_severity_and_cleared_once():
    node = Node()
    node.tell(Looked("pump", 7), 0)
    node.tell(Died("pump", 7), 10)
    for now_ms in (3_000, 5_000):
        node.tell(Looked("pump", 0), now_ms)
    node.tell(Looked("pump", 8), 6_000)
    assert node.alarms.history == [("raise", *KEY, Severity.CRITICAL)]
    assert node.alarms.stand[KEY][1] == {"reason": "process 7 ended"}
    for now_ms in (40_000, 50_000):
        node.tell(Looked("pump", 8), now_ms)
    assert [what for what, *_ in node.alarms.history] == ["raise", "clear"]


def test_an_alarm_of_before_stands_until_its_process_was_seen_to_run():
    node = Node(stands=[KEY])
    node.teller.look()
    assert KEY in node.alarms.stand
    node.tell(Looked("pump", 7), 10)
    assert KEY not in node.alarms.stand


def test_an_alarm_of_before_whose_process_nobody_watches_any_more_is_over():
    node = Node(stands=[KEY, ("200.006", "process=ghost")])
    node.teller.look()
    assert list(node.alarms.stand) == [KEY]


def test_what_stands_from_before_is_confirmed_by_a_failure_of_now():
    node = Node(stands=[KEY])
    node.teller.look()
    assert node.teller.confirmed() == set()
    for now_ms in range(0, 10_000, 500):
        node.tell(Looked("pump", 0), now_ms)
    assert node.teller.confirmed() == {"process=pump"}


def test_one_of_before_that_still_fails_is_not_cleared_in_between():
    node = Node(stands=[KEY])
    for now_ms in range(0, 10_000, 500):
        node.tell(Looked("pump", 0), now_ms)
    assert [what for what, *_ in node.alarms.history] == ["raise"]


def test_files_that_were_not_taken_are_alarms_and_those_that_are_well_now_are_not():
    node = Node(refused={"/a.toml": ["/a.toml:1: x"]}, stands=[("200.806", "file=/b.toml")])
    node.teller.look()
    node.teller.look()
    assert node.alarms.history == [
        ("raise", "200.806", "file=/a.toml", None),
        ("clear", "200.806", "file=/b.toml", None),
    ]
    assert node.teller.report().faults == ["/a.toml:1: x"]


def test_nothing_is_raised_before_the_table_is_there():
    node = Node()
    node.alarms.is_open = False
    node.tell(Looked("pump", 0), 9_000)
    node.tell(Looked("pump", 0), 12_000)
    assert node.alarms.history == []
    node.alarms.is_open = True
    node.teller.look()
    assert [what for what, *_ in node.alarms.history] == ["raise"]


def test_what_the_text_may_hold_is_no_more_than_an_alarm_may():
    node = Node(refused={"/a.toml": ["x" * 300]})
    node.teller.look()
    ((_, params),) = node.alarms.stand.values()
    assert len(params["reason"].encode()) <= 255


def defined(**said):
    return Definition(**({"process": "pump", "file": "profile", "pidfile": "/p"} | said))


def test_the_alarm_of_one_that_is_watched_no_more_ends_with_its_watching():
    node = Node()
    node.teller.look()
    node.tell(Looked("pump", 7), 0)
    node.tell(Died("pump", 7), 10)
    node.tell(Looked("pump", 0), 3_000)
    assert KEY in node.alarms.stand
    node.teller.define(node.core.define([], 4_000, {}), {})
    assert KEY not in node.alarms.stand
    node.teller.look()


def test_the_alarm_of_one_that_is_watched_anew_stands_until_it_was_seen_to_run():
    node = Node()
    node.tell(Looked("pump", 7), 0)
    node.tell(Died("pump", 7), 10)
    node.tell(Looked("pump", 0), 3_000)
    left = node.core.define([defined(severity="major")], 4_000, {})
    node.teller.define(left, {"profile": ["pump: wrong"]})
    node.teller.look()
    assert KEY in node.alarms.stand
    assert ("200.806", "file=profile") in node.alarms.stand
    node.tell(Looked("pump", 8), 5_000)
    assert KEY not in node.alarms.stand


def test_before_alarms_are_open_others_may_be_defined():
    node = Node(stands=[KEY])
    node.alarms.is_open = False
    node.teller.define(node.core.define([], 0, {}), {})
    node.alarms.is_open = True
    node.teller.look()


class OpenOutbox(NoOutbox):
    """An outbox that takes what comes, and says that it has gone."""

    def __init__(self):
        self.lanes = {Lane.BULK: LaneCounts(b"s" * 16, 0, 0, None)}
        self.kinds = []

    def append(self, batch):
        self.kinds += [entry.kind for entry in batch.entries]
        batch.then(self.lanes)


def test_the_state_is_told_on_change_and_again_after_half_an_hour_and_not_between():
    node, outbox = Node(), OpenOutbox()
    node.teller = Teller(node.core, {}, outbox, node.alarms, node.clock)
    node.tell(Looked("pump", 7), 0)
    for now_ms in (3_000, 6_000, 600_000):
        node.tell(Looked("pump", 7), now_ms)
    assert len(outbox.kinds) == 1
    node.tell(Looked("pump", 8), 700_000)
    assert len(outbox.kinds) == 2
    node.tell(Looked("pump", 8), 700_000 + AGAIN_MS + 60_000)
    assert len(outbox.kinds) == 3
    node.teller.define([], {"f": ["f:1: wrong"]})
    node.clock.now_ms += 60_001
    node.teller.look()
    assert len(outbox.kinds) == 4
