"""The way up: events and states into the outbox, conditions to the alarms, and nothing twice."""

from types import SimpleNamespace

import pytest
from ha_cores import Cores

from roost_agent.alarm_types import GUARD_UNREADY, PEER_PATH, REDUNDANCY_LOST
from roost_agent.errors import StorageError
from roost_agent.ha import core_events as ev
from roost_agent.ha.decisions import BURST
from roost_agent.ha.report import roles
from roost_agent.ha.upward import Upward
from roost_agent.outbox.latest import AGAIN_MS, SETTLE_MS
from roost_agent.outbox.store import LaneCounts
from roost_protocol.alarm import Event
from roost_protocol.codec import Decoder, unpack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.explain import Explain
from roost_protocol.ha_report import HA_ROLE, HaReport, HaRole

pytestmark = pytest.mark.untraced

reports = Decoder[HaReport](HaReport)
said = Decoder[Event](Event)


class Outbox:
    """Numbers what it takes; the disk and the centre answer when a test says so."""

    def __init__(self):
        self.lanes = {}
        self.entries = []
        self.refuses = False
        self.is_slow = False
        self._waiting = []

    def open(self):
        self.lanes = {Lane.BULK: LaneCounts(b"s" * 16, 0, 0, None)}

    def append(self, batch):
        if self.refuses:
            raise StorageError("full")
        self.entries += batch.entries
        self._waiting.append(batch)
        if not self.is_slow:
            self.write()

    def write(self):
        waiting, self._waiting = self._waiting, []
        for batch in waiting:
            was = self.lanes[Lane.BULK]
            self.lanes = {
                Lane.BULK: LaneCounts(was.stream, was.last + len(batch.entries), was.mark, None)
            }
            if batch.then is not None:
                batch.then(self.lanes)

    def receipt(self):
        """The centre has all that is on disk."""
        was = self.lanes[Lane.BULK]
        self.lanes = {Lane.BULK: LaneCounts(was.stream, was.last, was.last, None)}

    def states(self):
        return [
            reports.decode(unpack(each.body, compressed=each.compressed))
            for each in self.entries
            if each.kind is ItemKind.HA
        ]

    def events(self):
        return [
            said.decode(unpack(each.body, compressed=each.compressed))
            for each in self.entries
            if each.kind is ItemKind.EVENT
        ]


class Alarms:
    """Notes what it is told."""

    def __init__(self):
        self.is_open = True
        self.rounds = []
        self.raised = set()

    def observe(self, seen):
        self.rounds.append(seen)

    def is_raised(self, type_, entity):
        return (type_, entity) in self.raised

    def raise_condition(self, type_, params, entity):
        self.raised.add((type_, entity))

    def clear_condition(self, type_, entity):
        self.raised.discard((type_, entity))

    def standing(self):
        return {(each.type, each.entity) for each in self.rounds[-1].samples}


class Workload:
    def __init__(self):
        self.services = {"main": {"state": "active", "services": {"db": "active"}}}
        self.stays, self.address = {}, ""

    def status(self):
        return self.services

    def held_back(self):
        return self.stays

    def conflict(self):
        return self.address


class Runtime:
    def __init__(self, site, index):
        self.site, self.index = site, index
        self.workload = Workload()
        paths = [
            SimpleNamespace(number=number, fault="", strangers=0)
            for number in range(len(site.config.paths))
        ]
        self.shells = SimpleNamespace(
            paths=paths,
            peers=SimpleNamespace(refused={}),
            broker=None,
            guard=None,
            store=SimpleNamespace(fault=""),
            fencing=None,
            workload=self.workload,
            lan=object(),
            bites=None,
        )
        self.guard_report = None
        self.conditions = {}

    @property
    def core(self):
        return self.site.boxes[self.index].core

    @property
    def config(self):
        return self.core.config

    def now_ms(self):
        return self.site.clock(self.site.boxes[self.index])


class Clock:
    def __init__(self, runtime):
        self._runtime = runtime

    def boot_ms(self):
        return self._runtime.now_ms()

    def wall_ms(self):
        return 1_800_000_000_000 + self._runtime.now_ms()


class Way:
    """The way up of one node of a site of cores; time moves with the site."""

    def __init__(self, folder):
        self.site = Cores(folder)
        self.active = self.site.settled()
        self.runtime = Runtime(self.site, self.active)
        self.outbox, self.alarms = Outbox(), Alarms()
        name = self.runtime.core.name_of(self.active)
        self.upward = Upward(name, self.outbox, self.alarms, Clock(self.runtime))

    def pass_(self, ms):
        """Let time pass, looking as often as the agent would."""
        for _ in range(max(ms // 1_000, 1)):
            self.site.run(min(ms, 1_000))
            self.upward.done(self.runtime)
            self.upward.look(self.runtime)


@pytest.fixture
def way(tmp_path):
    made = Way(tmp_path)
    made.outbox.open()
    return made


def test_the_state_says_what_the_node_is_and_hears(way):
    way.upward.look(way.runtime)
    (state,) = way.outbox.states()
    assert (state.nodes, state.voters) == (["c0", "c1", "w1"], ["c0", "c1", "w1"])
    groups = {group.name: group for group in state.groups}
    assert set(groups) == {"site", "main", "web", "logs"}
    main = groups["main"]
    assert (main.role, main.model, main.hosts) == (HaRole.ACTIVE, "2N", ["c0", "c1"])
    assert main.epoch == way.site.boxes[way.active].runs["main"]
    assert main.services == {"db": "active"}
    assert groups["web"].role is HaRole.BARRED
    assert groups["web"].bar
    assert {peer.state for peer in state.peers} == {"alive"}
    assert {peer.paths["0"] for peer in state.peers} == {"up"}
    assert [each.name for each in state.ways] == [
        "mgmt/c0",
        "cluster/c1",
        "cluster/udp",
        "mgmt/udp",
    ]


def test_a_higher_epoch_that_a_rival_tried_in_vain_is_not_this_turn_s(way):
    epoch = way.site.boxes[way.active].runs["main"]
    way.runtime.core.leases["main"]._turn.ballots.hear(epoch + 32)
    way.upward.look(way.runtime)
    (state,) = way.outbox.states()
    main = next(group for group in state.groups if group.name == "main")
    assert (main.role, main.epoch) == (HaRole.ACTIVE, epoch)
    told = {each["lease"]: each["epoch"] for each in roles(way.runtime)}
    assert told["main"] == epoch


def test_a_state_that_stays_is_told_once(way):
    way.pass_(30_000)
    assert len(way.outbox.states()) == 1


def test_nothing_is_told_before_the_outbox_is_open(tmp_path):
    way = Way(tmp_path)
    way.pass_(5_000)
    assert way.outbox.entries == []
    way.outbox.open()
    way.pass_(1_000)
    assert len(way.outbox.states()) == 1


def test_while_one_state_waits_for_the_centre_no_second_one_is_put_beside_it(way):
    way.pass_(1_000)
    for turn in range(4):
        way.site.cut = {(None, None, 0)} if turn % 2 == 0 else set()
        way.pass_(20_000)
    assert len(way.outbox.states()) == 1
    way.outbox.receipt()
    way.site.cut = {(None, None, 0)}
    way.pass_(20_000)
    assert len(way.outbox.states()) == 2
    assert {peer.paths["0"] for peer in way.outbox.states()[-1].peers} != {"up"}


def test_while_one_state_is_on_its_way_to_the_disk_no_second_one_goes_there(way):
    way.outbox.is_slow = True
    way.pass_(1_000)
    way.site.cut = {(None, None, 0)}
    way.pass_(20_000)
    assert len(way.outbox.states()) == 1
    way.outbox.write()
    way.outbox.receipt()
    way.pass_(1_000)
    assert len(way.outbox.states()) == 2


def test_states_of_a_site_that_flaps_are_bounded(way):
    way.pass_(1_000)
    told = 0
    for turn in range(4 * BURST):
        way.outbox.receipt()
        way.runtime.workload.services["main"]["state"] = f"state-{turn}"
        way.site.now_ms += SETTLE_MS  # nothing else need happen
        way.upward.look(way.runtime)
    told = len(way.outbox.states())
    assert BURST <= told < 2 * BURST + SETTLE_MS


def test_a_state_is_told_again_after_a_while(way):
    way.pass_(1_000)
    way.outbox.receipt()
    way.site.now_ms += AGAIN_MS + 1
    way.upward.look(way.runtime)
    assert len(way.outbox.states()) == 2


def test_another_stream_does_not_hold_the_next_state_back(way):
    way.pass_(1_000)
    way.outbox.open()  # numbers begin anew
    way.site.cut = {(None, None, 0)}
    way.pass_(20_000)
    assert len(way.outbox.states()) == 2


def test_what_the_outbox_refuses_is_told_later(way):
    way.outbox.refuses = True
    way.upward.explained(way.runtime, Explain("node 1 is gone", {}))
    way.pass_(2_000)
    assert way.outbox.entries == []
    way.outbox.refuses = False
    way.pass_(1_000)
    assert "c1 is gone" in [each.text for each in way.outbox.events()]
    assert len(way.outbox.states()) == 1


def test_a_role_is_told_and_its_end(way):
    way.pass_(1_000)
    (first,) = [each for each in way.outbox.events() if each.entity == "group=main"]
    assert (first.type, first.params["role"]) == (HA_ROLE, "active")
    way.site.cut = {(way.active, None, None), (None, way.active, None)}
    way.pass_(20_000)
    roles = [each.params["role"] for each in way.outbox.events() if each.entity == "group=main"]
    assert roles == ["active", "standby"]


def test_a_cut_network_is_a_condition_of_each_live_peer_and_a_dead_peer_is_none(way):
    way.site.cut = {(None, None, 0), (None, None, 3)}
    way.pass_(5_000)
    others = {"c0", "c1", "w1"} - {way.runtime.core.name_of(way.active)}
    wanted = {
        (PEER_PATH, f"peer={peer},path={path}")
        for peer in others
        for path in ("mgmt/c0", "mgmt/udp")
    }
    assert way.alarms.standing() == wanted


def test_a_dead_standby_is_lost_redundancy_and_nothing_else(way):
    standby = way.site.boxes[1 - way.active]
    standby.is_up = False
    way.pass_(10_000)
    assert way.alarms.standing() == {(REDUNDANCY_LOST, "group=main")}


def test_a_service_that_failed_is_raised_and_cleared(way):
    services = way.runtime.workload.services["main"]["services"]
    services["db"] = "failed"
    way.pass_(1_000)
    assert way.alarms.raised == {("400.001", "service=db")}
    way.alarms.raised.clear()  # by another who speaks of the same type
    way.pass_(1_000)
    assert way.alarms.raised == {("400.001", "service=db")}
    services["db"] = "active"
    way.pass_(1_000)
    assert way.alarms.raised == set()


def test_faults_of_the_node_are_in_its_state(way):
    way.runtime.shells.store.fault = "disk full"
    way.runtime.shells.broker = SimpleNamespace(fault="it is gone")
    way.runtime.shells.guard = SimpleNamespace(lost=SimpleNamespace(is_set=lambda: True))
    way.upward.look(way.runtime)
    (state,) = way.outbox.states()
    assert state.faults == ["disk full", "the guard does not answer", "site broker: it is gone"]
    assert ("400.802", "") in way.alarms.standing()


def test_what_the_guard_could_not_keep_is_an_alarm_with_the_reason(way):
    way.site.tell(way.active, ev.GuardSaid({"main": "it bites within 30000 ms, not 5000"}))
    way.pass_(1_000)
    (found,) = [each for each in way.alarms.rounds[-1].samples if each.type == GUARD_UNREADY]
    assert found.params == {"reason": "it bites within 30000 ms, not 5000"}
    way.upward.look(way.runtime)
    assert way.outbox.states()[-1].faults == ["it bites within 30000 ms, not 5000"]


def test_many_frames_that_no_member_made_are_an_alarm_until_a_minute_brings_few(way):
    way.runtime.shells.peers.refused["mac"] = 100
    way.pass_(61_000)
    assert way.alarms.standing() == {("400.809", "")}
    way.pass_(61_000)
    assert way.alarms.standing() == set()


def test_what_was_raised_before_the_alarms_were_open_is_raised_then(way):
    way.runtime.conditions["400.807", ""] = {"reason": "its disk is older"}
    way.outbox.open()
    way.alarms.is_open = False
    way.pass_(1_000)
    assert ("400.807", "") not in way.alarms.raised
    way.alarms.is_open = True
    way.pass_(1_000)
    assert ("400.807", "") in way.alarms.raised
    way.alarms.raised.clear()
    way.pass_(1_000)
    assert ("400.807", "") not in way.alarms.raised, "what is refused is not tried each second"
