import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_central.liveness.core import Liveness
from roost_central.liveness.facts import (
    AgentRestarted,
    BeatIgnored,
    BeatSeen,
    BrokerDown,
    BrokerUp,
    CanarySeen,
    CloneChanged,
    CloneSeen,
    GoneSeen,
    LossChanged,
    NodeAdded,
    NodeRemoved,
    PathChanged,
    PathRemoved,
    PresenceChanged,
    QuietChanged,
    Rebooted,
    Resumed,
    SiteChanged,
    Tick,
)
from roost_central.liveness.loss import BEATS, LOST_MIN
from roost_protocol.beat import Beat, PathKind, PathReport, PathState
from roost_protocol.limits import PATHS_MAX

SETTLED_MS = 120_000


class Fleet:
    """A core past its start, and the time."""

    def __init__(self, *nodes, settled=True):
        self.core = Liveness(frozenset({"b1"}), 0)
        self.now_ms = 0
        self.n = {}
        self.say(BrokerUp("b1"))
        if settled:
            self.now_ms = SETTLED_MS
            self.say(Tick())
        for node in nodes:
            self.say(NodeAdded(node, node.partition(".")[0]))

    def say(self, event):
        actions = self.core.handle(event, self.now_ms)
        check_invariants(self.core)
        return actions

    def beat(self, node="lab.n1", *, path="wan1", paths=(("wan1", "up"),), **said):
        """A beat, the next of its path unless ``said`` has another ``n``."""
        key = (node, path, said.get("incarnation", 1))
        self.n[key] = said.get("n", self.n.get(key, 0) + 1)
        defaults = {
            "v": 1,
            "node": node,
            "boot_id": b"b" * 16,
            "incarnation": 1,
            "path": path,
            "sent_ms": self.now_ms,
            "n": self.n[key],
            "interval_ms": 30_000,
            "uptime_s": 1,
            "agent": "0.1.0",
            "why": "timer",
            "paths": [
                PathReport(
                    name,
                    PathKind.SITE if name.startswith("lan") else PathKind.WAN,
                    PathState(state),
                    0,
                )
                for name, state in paths
            ],
        }
        generation = said.pop("generation", 0)
        return self.say(BeatSeen(node, Beat(**{**defaults, **said}), generation))

    def wait(self, ms, step_ms=250):
        """Let time pass as the sweep does; return what followed."""
        actions = []
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms = min(self.now_ms + step_ms, end_ms)
            actions += self.say(Tick())
        return actions

    def presence(self, node="lab.n1"):
        return self.core._nodes[node].presence

    def status(self, site="lab"):
        return self.core._sites[site].status


def check_invariants(core):
    queued = {(due_ms, node) for due_ms, _, node, _ in core._heap}
    for node in core._nodes.values():
        assert node.due_ms is None or (node.due_ms, node.node) in queued
        if node.presence in {"online", "degraded"}:
            assert node.due_ms is not None, "a heard node has a deadline"
            assert node.heard_ms is not None
        assert node.node in core._sites[node.site].nodes
        assert len(node.paths) <= 17
    for site in core._sites.values():
        heard = any(core._nodes[n].presence in {"online", "degraded"} for n in site.nodes)
        assert (site.status != "unknown") == heard


def of(kind, actions):
    return [action for action in actions if isinstance(action, kind)]


def test_a_node_is_unknown_until_its_first_beat_and_online_with_it():
    fleet = Fleet("lab.n1")
    fleet.wait(600_000)
    assert (fleet.presence(), fleet.status()) == ("unknown", "unknown")
    actions = fleet.beat()
    assert PresenceChanged("lab.n1", "unknown", "online", announce=False) in actions
    assert SiteChanged("lab", "unknown", "ok", announce=False) in actions


def test_a_silent_node_is_dark_after_two_and_a_half_intervals_and_said_once():
    fleet = Fleet("lab.n1")
    fleet.beat()
    assert fleet.wait(74_750) == []
    actions = fleet.wait(250)
    assert of(PresenceChanged, actions) == [
        PresenceChanged("lab.n1", "online", "unreachable", 75_000)
    ]
    assert of(SiteChanged, actions) == [SiteChanged("lab", "ok", "unknown")]
    assert of(PathChanged, actions) == [PathChanged("lab.n1", "wan1", "up", "unknown", False)]
    assert fleet.wait(600_000) == []


def test_the_limits_follow_the_nodes_own_interval():
    fleet = Fleet("lab.n1")
    fleet.beat(interval_ms=2_000)
    assert fleet.wait(4_750) == []
    assert fleet.wait(250)
    assert fleet.presence() == "unreachable"


def test_a_node_that_beats_faster_is_missed_sooner():
    fleet = Fleet("lab.n1")
    fleet.beat(interval_ms=600_000)
    fleet.wait(1_000)
    fleet.beat(interval_ms=2_000)
    fleet.wait(5_000)
    assert fleet.presence() == "unreachable"


@pytest.mark.parametrize(("claim_ms", "dark_ms"), [(0, 2_500), (2**62, 1_500_000)])
def test_a_claimed_interval_is_bounded(claim_ms, dark_ms):
    fleet = Fleet("lab.n1")
    fleet.beat(interval_ms=claim_ms)
    fleet.wait(dark_ms - 250)
    assert fleet.presence() == "online"
    fleet.wait(250)
    assert fleet.presence() == "unreachable"


def test_back_from_the_dark_takes_two_beats():
    fleet = Fleet("lab.n1")
    fleet.beat()
    fleet.wait(80_000)
    assert of(PresenceChanged, fleet.beat()) == []
    fleet.wait(30_000)
    assert of(PresenceChanged, fleet.beat()) == [PresenceChanged("lab.n1", "unreachable", "online")]


def test_two_beats_with_a_silence_between_are_not_back():
    fleet = Fleet("lab.n1")
    fleet.beat()
    fleet.wait(80_000)
    fleet.beat()
    fleet.wait(80_000)
    fleet.beat()
    assert fleet.presence() == "unreachable"


def test_a_new_start_of_the_agent_is_back_at_once():
    fleet = Fleet("lab.n1")
    fleet.beat()
    fleet.wait(80_000)
    actions = fleet.beat(incarnation=2)
    assert AgentRestarted("lab.n1") in actions
    assert fleet.presence() == "online"


def test_a_reboot_is_seen_by_its_boot_id_also_across_our_own_restart():
    fleet = Fleet()
    fleet.say(NodeAdded("lab.n1", "lab", 30_000, b"a" * 16, 4, was_heard=True))
    assert Rebooted("lab.n1") in fleet.beat(incarnation=5)
    assert Rebooted("lab.n1") in fleet.beat(incarnation=6, boot_id=b"c" * 16)
    assert of(Rebooted, fleet.beat(incarnation=6, boot_id=b"c" * 16)) == []


def test_beats_of_an_earlier_start_change_nothing():
    fleet = Fleet("lab.n1")
    fleet.beat(incarnation=2)
    fleet.wait(10_000)
    late = fleet.beat(incarnation=1, sent_ms=1)
    assert late == [BeatIgnored("lab.n1", "stale")]


def test_a_beat_of_the_boot_before_is_not_a_reboot():
    fleet = Fleet("lab.n1")
    fleet.beat(incarnation=1)
    fleet.beat(incarnation=2, boot_id=b"c" * 16)
    assert fleet.beat(incarnation=1, n=9) == [BeatIgnored("lab.n1", "stale")]


def test_an_agent_that_lost_its_state_is_heard_again():
    fleet = Fleet("lab.n1")
    fleet.beat(incarnation=57)
    fleet.wait(10_000)
    assert of(BeatIgnored, fleet.beat(incarnation=1)) == [], "same boot, later clock"
    assert of(BeatIgnored, fleet.beat(incarnation=0, boot_id=b"n" * 16)) == [], "another boot"


def test_a_repeated_or_reordered_beat_changes_nothing_but_the_loss():
    fleet = Fleet("lab.n1")
    fleet.beat(n=1)
    fleet.beat(n=4)
    sent_ms = fleet.now_ms
    assert fleet.core.measured("lab.n1", "wan1") == ("up", 500)
    fleet.wait(40_000)
    assert fleet.beat(n=4, sent_ms=sent_ms) == [BeatIgnored("lab.n1", "duplicate")]
    assert fleet.beat(n=3) == [BeatIgnored("lab.n1", "late")]
    assert fleet.beat(n=3) == [BeatIgnored("lab.n1", "duplicate")]
    assert fleet.core.measured("lab.n1", "wan1") == ("up", 250)
    fleet.wait(35_000)
    assert fleet.presence() == "unreachable", "old beats are no sign of life"


def test_one_silent_wan_path_of_two_degrades():
    fleet = Fleet("lab.n1")
    both = (("wan1", "up"), ("wan2", "up"))
    fleet.beat(paths=both)
    fleet.beat(path="wan2", paths=both)
    for _ in range(3):
        fleet.wait(25_000)
        fleet.beat(paths=both)
    assert (fleet.presence(), fleet.status()) == ("degraded", "degraded")
    assert fleet.core.measured("lab.n1", "wan2")[0] == "down"
    actions = fleet.beat(path="wan2", paths=both)
    assert PathChanged("lab.n1", "wan2", "down", "up") in actions
    assert fleet.presence() == "online"


def test_a_silent_path_is_noticed_without_a_beat():
    fleet = Fleet("lab.n1")
    both = (("wan1", "up"), ("wan2", "up"))
    fleet.beat(path="wan2", paths=both)
    fleet.wait(40_000)
    fleet.beat(paths=both)
    actions = fleet.wait(35_000)
    assert PathChanged("lab.n1", "wan2", "up", "down") in actions
    assert fleet.presence() == "degraded"


@pytest.mark.parametrize("state", ["down", "flaky"])
def test_a_path_that_the_node_reports_ill_degrades_at_once(state):
    fleet = Fleet("lab.n1")
    fleet.beat(paths=(("wan1", "up"), ("lan1", state)))
    assert fleet.presence() == "degraded"


def test_a_path_not_tried_yet_does_not_degrade():
    fleet = Fleet("lab.n1")
    fleet.beat(paths=(("wan1", "up"), ("wan2", "unknown")))
    assert fleet.presence() == "online"


def test_a_path_taken_out_of_the_configuration_is_forgotten():
    fleet = Fleet("lab.n1")
    fleet.beat(paths=(("wan1", "up"), ("wan2", "down")))
    assert PathRemoved("lab.n1", "wan2") in fleet.beat()
    assert fleet.presence() == "online"


def test_a_node_that_lists_no_path_and_beats_on_ever_new_ones_has_a_few():
    fleet = Fleet("lab.n1")
    for number in range(3 * PATHS_MAX):
        fleet.beat(path=f"p{number}", paths=())  # check_invariants() counts them
    assert f"p{number}" in fleet.core._nodes["lab.n1"].paths


def test_gone_on_every_path_and_no_beat_is_dark_after_half_an_interval():
    fleet = Fleet("lab.n1")
    both = (("wan1", "up"), ("wan2", "up"))
    fleet.beat(paths=both)
    fleet.beat(path="wan2", paths=both)
    fleet.wait(5_000)
    fleet.say(GoneSeen("lab.n1", "wan1", 1))
    fleet.wait(20_000)
    assert fleet.presence() == "online", "one path may say what it will"
    fleet.say(GoneSeen("lab.n1", "wan2", 1))
    fleet.wait(14_750)
    assert fleet.presence() == "online"
    fleet.wait(250)
    assert fleet.presence() == "unreachable"


def test_gone_counts_although_another_path_was_silent_for_long():
    fleet = Fleet("lab.n1")
    both = (("wan1", "up"), ("wan2", "up"))
    fleet.beat(path="wan2", paths=both)
    for _ in range(4):
        fleet.wait(25_000)
        fleet.beat(paths=both)
    fleet.say(GoneSeen("lab.n1", "wan1", 1))
    fleet.wait(15_000)
    assert fleet.presence() == "unreachable"


def test_a_path_never_tried_is_no_change_when_the_node_goes_dark():
    fleet = Fleet("lab.n1")
    fleet.beat(paths=(("wan1", "up"), ("wan2", "unknown")))
    assert [action.path for action in of(PathChanged, fleet.wait(75_000))] == ["wan1"]


def test_a_beat_after_gone_takes_it_back():
    fleet = Fleet("lab.n1")
    fleet.beat()
    fleet.say(GoneSeen("lab.n1", "wan1", 1))
    fleet.wait(10_000)
    fleet.beat()
    fleet.wait(20_000)
    assert fleet.presence() == "online"


def test_the_will_of_an_earlier_start_is_ignored():
    fleet = Fleet("lab.n1")
    fleet.beat(incarnation=2)
    fleet.say(GoneSeen("lab.n1", "wan1", 1))
    fleet.wait(20_000)
    assert fleet.presence() == "online"


def test_a_site_is_ok_again_only_after_it_held():
    fleet = Fleet("lab.n1")
    fleet.beat(paths=(("wan1", "up"), ("lan1", "down")))
    assert fleet.status() == "degraded"
    fleet.beat(paths=(("wan1", "up"), ("lan1", "up")))
    assert fleet.status() == "degraded"
    assert SiteChanged("lab", "degraded", "ok") in fleet.wait(10_000)


def test_a_site_that_flaps_stays_degraded():
    fleet = Fleet("lab.n1")
    for _ in range(10):
        fleet.beat(paths=(("wan1", "up"), ("lan1", "down")))
        fleet.wait(4_000)
        fleet.beat(paths=(("wan1", "up"), ("lan1", "up")))
        assert of(SiteChanged, fleet.wait(4_000)) == []


def test_a_site_of_which_one_node_is_dark_is_degraded():
    fleet = Fleet("lab.n1", "lab.n2")
    fleet.beat("lab.n1")
    fleet.beat("lab.n2")
    for _ in range(4):
        fleet.wait(25_000)
        fleet.beat("lab.n1")
    assert (fleet.presence("lab.n2"), fleet.status()) == ("unreachable", "degraded")
    fleet.wait(10_000)
    fleet.say(NodeRemoved("lab.n2"))
    fleet.wait(10_000)
    assert fleet.status() == "ok"


def fleet_of(count):
    nodes = [f"s{i}.n1" for i in range(count)]
    fleet = Fleet(*nodes)
    for node in nodes:
        fleet.beat(node)
    return fleet, nodes


def test_most_sites_silent_within_a_beat_are_one_event_until_we_are_well():
    fleet, _nodes = fleet_of(50)
    actions = fleet.wait(150_000)
    turns = of(QuietChanged, actions)
    assert turns[0] == QuietChanged(True, "silence", 11, 50), "more than a fifth"
    assert turns[1:] == [QuietChanged(True, "silence", 50, 50, is_recount=True)]
    assert of(PresenceChanged, actions) == []
    assert not any(action.announce for action in of(SiteChanged, actions))


def test_the_count_follows_the_sites_and_is_told_at_most_once_in_a_while():
    fleet, nodes = fleet_of(50)
    fleet.wait(60_000)
    told = []
    for part in (nodes[:20], nodes[20:30], nodes[30:]):
        for node in part:
            fleet.beat(node)
        told += of(QuietChanged, fleet.wait(12_000))
    assert [turn.silent for turn in told] == [30, 20, 0]
    assert all(turn.is_recount and turn.on for turn in told)


def some_silent(fleet, nodes, silent, ms):
    """Time passes, and all but the first ``silent`` nodes are heard."""
    actions = []
    for _ in range(ms // 15_000):
        actions += fleet.wait(15_000)
        for node in nodes[silent:]:
            actions += fleet.beat(node)
    return actions


@pytest.mark.parametrize("silent", [10, 20], ids=["more than 2 %", "no more than 20 %"])
def test_a_mass_of_sites_is_told_at_once_as_one(silent):
    fleet, nodes = fleet_of(100)
    actions = some_silent(fleet, nodes, silent, 90_000)
    assert not fleet.core.is_quiet
    changes = [change for change in of(SiteChanged, actions) if change.new == "unknown"]
    assert len(changes) == silent
    assert all(change.announce and change.is_one_of_many for change in changes)
    assert len(of(PresenceChanged, actions)) == silent


def test_fewer_than_a_mass_are_told_each_for_itself():
    fleet, nodes = fleet_of(100)
    actions = some_silent(fleet, nodes, 9, 90_000)
    changes = of(SiteChanged, actions)
    assert len(changes) == 9
    assert not any(change.is_one_of_many for change in changes)


def test_a_mass_is_over_a_minute_after_the_last_of_it():
    fleet, nodes = fleet_of(100)
    some_silent(fleet, nodes, 12, 180_000)
    for node in nodes[:12]:
        fleet.beat(node, incarnation=2)
    some_silent(fleet, nodes, 0, 90_000)
    changes = of(SiteChanged, some_silent(fleet, nodes, 1, 90_000))
    assert [change.is_one_of_many for change in changes] == [False]


def test_of_a_site_that_falls_dark_node_by_node_the_site_is_told_and_before_its_nodes():
    fleet = Fleet("lab.n1", "lab.n2", "lab.n3")
    for node in ("lab.n1", "lab.n2", "lab.n3"):
        fleet.beat(node)
        fleet.wait(5_000)
    actions = fleet.wait(90_000)
    told = [action for action in actions if getattr(action, "announce", False)]
    kinds = [type(action) for action in told if action.new != "degraded"]
    assert kinds == [SiteChanged] + [PresenceChanged] * 3


def test_a_dark_node_is_told_when_its_site_turns_out_to_be_heard():
    fleet = Fleet("lab.n1", "lab.n2")
    fleet.beat("lab.n1")
    fleet.wait(20_000)
    fleet.beat("lab.n2")
    actions = fleet.wait(65_000)  # the site is silent, and may be dark soon
    assert [action.announce for action in of(PresenceChanged, actions)] == [False]
    actions = fleet.beat("lab.n2")
    told = [(a.node, a.announce) for a in of(PresenceChanged, actions)]
    assert told == [("lab.n1", True)]


def test_what_does_not_come_back_from_our_only_broker_makes_us_deaf_until_it_was_well():
    fleet, nodes = fleet_of(3)
    fleet.say(CanarySeen("b1", is_well=False))
    actions = fleet.wait(400_000)
    assert {action.new for action in of(PresenceChanged, actions)} == {"unknown"}
    assert not any(action.announce for action in of(SiteChanged, actions))
    assert fleet.core.is_quiet
    fleet.say(CanarySeen("b1", is_well=True))
    assert of(QuietChanged, fleet.wait(119_000)) == []
    actions = fleet.wait(10_000)
    assert [(turn.on, turn.why) for turn in of(QuietChanged, actions)] == [(False, "canary")]
    assert {action.node for action in of(PresenceChanged, actions)} == set(nodes)
    assert fleet.say(CanarySeen("b1", is_well=True)) == [], "it was well already"


def test_a_canary_of_a_lost_broker_says_nothing():
    fleet, _nodes = fleet_of(3)
    fleet.say(BrokerDown("b1"))
    fleet.say(CanarySeen("b1", is_well=False))
    fleet.say(BrokerUp("b1"))
    fleet.wait(SETTLED_MS + 1_000)
    assert not fleet.core.is_quiet


def test_a_doubt_lasts_for_two_minutes_after_a_broker_came_back_in_it():
    fleet, _nodes = fleet_of(50)
    fleet.wait(60_000)
    assert fleet.core.is_quiet
    fleet.say(BrokerDown("b1"))
    fleet.wait(30_000)
    fleet.say(BrokerUp("b1"))
    assert not [turn for turn in of(QuietChanged, fleet.wait(119_000)) if not turn.on]
    (end,) = [turn for turn in of(QuietChanged, fleet.wait(2_000)) if not turn.on]
    assert end.why == "silence"


@pytest.mark.parametrize("interval_ms", [10_000, 30_000], ids=["dark in it", "dark after it"])
def test_who_is_silent_after_a_wave_is_told_then_and_once(interval_ms):
    nodes = [f"s{i}.n1" for i in range(50)]
    fleet = Fleet(*nodes)
    for node in nodes:
        fleet.beat(node, interval_ms=interval_ms)
    actions = fleet.wait(1_000_000)
    turns = [turn for turn in of(QuietChanged, actions) if not turn.is_recount]
    assert [turn.on for turn in turns] == [True, False]
    told = actions[actions.index(turns[1]) :]
    for kind in (PresenceChanged, SiteChanged):
        announced = [action for action in of(kind, actions) if action.announce]
        assert len(announced) == len(nodes)
        assert all(action in told for action in announced)
    kinds = [type(action) for action in told if getattr(action, "announce", False)]
    assert kinds == [SiteChanged] * 50 + [PresenceChanged] * 50, "a site hides its nodes"
    assert all(change.is_one_of_many for change in of(SiteChanged, told) if change.announce)
    assert fleet.wait(1_000_000) == []
    back = fleet.beat(nodes[0], incarnation=2)
    assert [action.announce for action in of(PresenceChanged, back)] == [True]
    assert SiteChanged("s0", "unknown", "ok") in back


def test_who_speaks_within_a_wave_is_not_told_after_it():
    fleet, nodes = fleet_of(50)
    fleet.wait(100_000)
    actions = []
    for _ in range(20):
        for node in nodes[1:]:
            fleet.beat(node)
        actions += fleet.wait(15_000)
    assert {action.node for action in of(PresenceChanged, actions)} == {nodes[0]}


def test_a_site_that_fell_silent_while_we_were_away_is_told():
    fleet = Fleet(settled=False)
    fleet.say(NodeAdded("lab.n1", "lab", 30_000, was_heard=True))
    fleet.say(NodeAdded("lab.n2", "lab", 30_000))
    actions = fleet.wait(1_000_000)
    assert of(SiteChanged, actions) == [SiteChanged("lab", "unknown", "unknown")]
    assert SiteChanged("lab", "unknown", "ok") in fleet.beat("lab.n1", incarnation=2)


def test_a_site_that_was_never_heard_is_not_told():
    fleet = Fleet("lab.n1")
    assert fleet.wait(1_000_000) == []


def test_a_few_silent_are_said_one_by_one():
    fleet, nodes = fleet_of(50)
    for _ in range(6):
        fleet.wait(15_000)
        for node in nodes[9:]:
            fleet.beat(node)
    dark = [node for node in nodes if fleet.presence(node) == "unreachable"]
    assert dark == nodes[:9]
    assert not fleet.core.is_quiet


def test_while_many_are_silent_the_limits_are_stretched():
    fleet, nodes = fleet_of(50)
    fleet.wait(100_000)
    assert {fleet.presence(node) for node in nodes} == {"online"}
    for node in nodes:
        fleet.beat(node)
    actions = fleet.wait(29_000)
    assert of(PresenceChanged, actions) == []


def test_without_a_broker_silence_says_nothing():
    fleet, nodes = fleet_of(3)
    fleet.say(BrokerDown("b1"))
    actions = fleet.wait(400_000)
    assert {action.new for action in of(PresenceChanged, actions)} == {"unknown"}
    assert not any(action.announce for action in of(PresenceChanged, actions))
    assert not any(action.announce for action in of(SiteChanged, actions))
    fleet.say(BrokerUp("b1"))
    for node in nodes:
        fleet.beat(node)
    assert {fleet.presence(node) for node in nodes} == {"online"}


def test_after_a_broker_came_back_silence_counts_from_then():
    fleet, nodes = fleet_of(3)
    fleet.say(BrokerDown("b1"))
    fleet.wait(60_000)
    fleet.say(BrokerUp("b1"))
    fleet.wait(119_000)
    assert {fleet.presence(node) for node in nodes} == {"online"}
    actions = fleet.wait(10_000)
    assert {action.new for action in of(PresenceChanged, actions)} == {"unreachable"}
    assert all(action.announce for action in of(PresenceChanged, actions))


def test_a_restarted_centre_waits_before_it_calls_a_known_node_unreachable():
    fleet = Fleet(settled=False)
    fleet.say(NodeAdded("lab.n1", "lab", 30_000, was_heard=True))
    fleet.wait(119_750)
    assert fleet.presence() == "unknown"
    fleet.wait(500)
    assert fleet.presence() == "unreachable"


def test_a_restarted_centre_that_hears_nobody_says_it_once():
    fleet = Fleet(settled=False)
    for i in range(40):
        fleet.say(NodeAdded(f"s{i}.n1", f"s{i}", 30_000, was_heard=True))
    actions = fleet.wait(1_000_000)
    assert len([a for a in of(QuietChanged, actions) if a.on and a.why == "silence"]) == 1
    assert sum(action.announce for action in of(PresenceChanged, actions)) == 40
    assert sum(action.announce for action in of(SiteChanged, actions)) == 40


def test_a_node_is_entered_once_and_a_will_before_any_beat_says_nothing():
    fleet = Fleet("lab.n1")
    assert fleet.say(NodeAdded("lab.n1", "lab")) == []
    assert fleet.say(GoneSeen("lab.n1", "wan1", 1)) == []
    assert not fleet.core.is_quiet


def test_deadlines_of_removed_nodes_and_sites_pass_silently():
    fleet = Fleet("lab.n1", "lab.n2")
    fleet.beat("lab.n1", paths=(("wan1", "up"), ("lan1", "down")))
    fleet.beat("lab.n1")
    for node in ("lab.n1", "lab.n2"):
        fleet.say(NodeRemoved(node))
    assert fleet.wait(100_000) == []


def test_a_first_beat_out_of_order_and_a_very_late_one_count_nothing_twice():
    fleet = Fleet("lab.n1")
    fleet.beat(n=200)
    assert fleet.core.measured("lab.n1", "wan1") == ("up", 0)
    assert fleet.beat(n=50) == [BeatIgnored("lab.n1", "late")]
    assert fleet.core.measured("lab.n1", "wan1") == ("up", 0)


def test_a_removed_node_leaves_nothing_behind():
    fleet, nodes = fleet_of(3)
    for node in nodes:
        fleet.say(NodeRemoved(node))
        fleet.say(NodeRemoved(node))
    assert fleet.wait(300_000) == []
    assert (fleet.core._nodes, fleet.core._sites) == ({}, {})


steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(250, 90_000)),
        st.tuples(
            st.just("beat"),
            st.integers(0, 3),
            st.sampled_from(["wan1", "wan2"]),
            st.integers(1, 3),
            st.integers(1, 6),
        ),
        st.tuples(st.just("gone"), st.integers(0, 3), st.sampled_from(["wan1", "wan2"])),
        st.tuples(st.just("broker"), st.booleans()),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_whatever_happens_each_change_follows_from_the_state_before(script):
    nodes = ["a.n1", "a.n2", "b.n1", "b.n2"]
    fleet = Fleet(*nodes)
    shown = dict.fromkeys(nodes, "unknown")
    for step in script:
        match step:
            case ("wait", ms):
                actions = fleet.wait(ms, step_ms=1_000)
            case ("beat", index, path, incarnation, n):
                both = (("wan1", "up"), ("wan2", "up"))
                actions = fleet.beat(
                    nodes[index], path=path, paths=both, n=n, incarnation=incarnation
                )
            case ("gone", index, path):
                actions = fleet.say(GoneSeen(nodes[index], path, 3))
            case ("broker", up):
                actions = fleet.say(BrokerUp("b1") if up else BrokerDown("b1"))
        for action in of(PresenceChanged, actions):
            assert shown[action.node] == action.old
            assert action.old != action.new or (action.new == "unreachable" and action.announce)
            shown[action.node] = action.new
    assert shown == {node: fleet.presence(node) for node in nodes}


@settings(max_examples=100, deadline=None)
@given(steps)
def test_after_any_trouble_a_fleet_that_beats_is_online_and_ok(script):
    nodes = ["a.n1", "a.n2", "b.n1", "b.n2"]
    fleet = Fleet(*nodes)
    for step in script:
        match step:
            case ("wait", ms):
                fleet.wait(ms, step_ms=1_000)
            case ("beat", index, path, incarnation, n):
                fleet.beat(nodes[index], path=path, n=n, incarnation=incarnation)
            case ("gone", index, path):
                fleet.say(GoneSeen(nodes[index], path, 3))
            case ("broker", up):
                fleet.say(BrokerUp("b1") if up else BrokerDown("b1"))
    fleet.say(BrokerUp("b1"))
    for _ in range(4):
        for node in nodes:
            fleet.beat(node, incarnation=9)
        fleet.wait(20_000, step_ms=1_000)
    assert {fleet.presence(node) for node in nodes} == {"online"}
    assert {fleet.status("a"), fleet.status("b")} == {"ok"}


def test_each_told_trouble_of_a_path_has_one_told_end():
    fleet = Fleet("lab.n1")
    fleet.beat(paths=(("wan1", "up"), ("lan1", "up")))
    told = []
    for state in ("down", "flaky", "unknown", "up", "unknown", "up"):
        told += of(PathChanged, fleet.beat(paths=(("wan1", "up"), ("lan1", state))))
    assert [(change.new, change.announce) for change in told] == [
        ("down", True),
        ("flaky", True),
        ("unknown", False),
        ("up", True),
        ("unknown", False),
        ("up", False),
    ]


def test_a_path_that_is_down_when_its_node_comes_back_is_told():
    fleet = Fleet("lab.n1")
    fleet.beat(paths=(("wan1", "up"), ("lan1", "up")))
    fleet.wait(75_000)
    told = of(PathChanged, fleet.beat(paths=(("wan1", "up"), ("lan1", "down"))))
    assert [change.path for change in told if change.announce] == ["lan1"]


@pytest.mark.parametrize("incarnations", [(2, 2), (1, 1)], ids=["new start", "same start"])
def test_a_node_that_comes_back_has_time_to_be_heard_on_each_path(incarnations):
    both = (("wan1", "up"), ("wan2", "up"))
    fleet = Fleet("lab.n1")
    fleet.beat(paths=both)
    fleet.beat(path="wan2", paths=both)
    fleet.wait(200_000)
    actions = []
    for incarnation in incarnations:
        for path in ("wan1", "wan2"):
            actions += fleet.beat(path=path, paths=both, incarnation=incarnation)
            actions += fleet.wait(250)
    assert {change.new for change in of(PathChanged, actions)} == {"up"}
    assert [change.new for change in of(PresenceChanged, actions)] == ["online"]


def test_a_path_that_stays_silent_when_its_node_is_back_is_told_then():
    both = (("wan1", "up"), ("wan2", "up"))
    fleet = Fleet("lab.n1")
    fleet.beat(paths=both)
    fleet.beat(path="wan2", paths=both)
    fleet.wait(200_000)
    told = []
    for _ in range(5):
        told += of(PathChanged, fleet.beat(paths=both, incarnation=2))
        told += of(PathChanged, fleet.wait(20_000))
    assert [(change.path, change.new) for change in told if change.announce] == [("wan2", "down")]


def test_our_own_pause_is_nobodys_silence():
    both = (("wan1", "up"), ("wan2", "up"))
    fleet = Fleet("lab.n1", "lab.n2")
    for node in ("lab.n1", "lab.n2"):
        fleet.beat(node, paths=both)
        fleet.beat(node, path="wan2", paths=both)
    fleet.now_ms += 60_000
    actions = fleet.say(Resumed())
    actions += fleet.say(Tick())
    actions += fleet.beat(paths=both)
    assert of(PresenceChanged, actions) == []
    assert of(PathChanged, actions) == []
    assert of(PresenceChanged, fleet.wait(80_000)), "a silence after it counts as ever"


def test_in_a_doubt_the_first_node_of_a_site_to_speak_blames_none_of_the_others():
    nodes = [f"s{i}.n{n}" for i in range(20) for n in (1, 2)]
    fleet = Fleet(*nodes)
    for node in nodes:
        fleet.beat(node, interval_ms=10_000)
    fleet.wait(110_000)
    assert {fleet.presence(node) for node in nodes} == {"unreachable"}
    actions = []
    for number in (1, 2):
        for i in range(20):
            actions += fleet.beat(f"s{i}.n{number}", incarnation=2, interval_ms=10_000)
    told = of(PresenceChanged, actions)
    assert {change.new for change in told} == {"online"}
    assert not any(change.announce for change in told)


@pytest.mark.parametrize("incarnations", [(4, 4), (2, 9)], ids=["a copy", "an older copy"])
def test_two_boxes_with_one_identity_are_told_and_only_one_of_them_is_shown(incarnations):
    fleet = Fleet("lab.n1")
    actions = []
    for n in range(1, 13):
        for boot, incarnation in zip((b"a" * 16, b"c" * 16), incarnations, strict=True):
            fleet.wait(15_000)
            actions += fleet.beat(boot_id=boot, incarnation=incarnation, n=n)
    assert of(CloneChanged, actions) == [CloneChanged("lab.n1", is_suspected=True)]
    assert len(of(Rebooted, actions)) <= 1, "not at each turn"
    for n in range(13, 40):
        fleet.wait(30_000)
        actions += fleet.beat(boot_id=b"c" * 16, incarnation=incarnations[1], n=n)
    assert of(CloneChanged, actions)[1:] == [CloneChanged("lab.n1", is_suspected=False)]


def test_of_two_boxes_the_one_that_stays_is_heard_when_the_other_is_gone():
    fleet = Fleet("lab.n1")
    for n in range(1, 5):
        for boot in (b"a" * 16, b"c" * 16):
            fleet.wait(15_000)
            fleet.beat(boot_id=boot, n=n)
    for n in range(5, 12):
        fleet.wait(30_000)
        fleet.beat(boot_id=b"a" * 16, n=n)
    assert fleet.presence() == "online"


def test_two_boxes_copied_while_they_ran_use_one_number_for_two_beats():
    fleet, actions = Fleet("lab.n1"), []
    for n in range(1, 12):
        for _ in range(2):
            fleet.wait(15_000)
            actions += fleet.beat(n=n)
    assert of(CloneChanged, actions) == [CloneChanged("lab.n1", is_suspected=True)]
    assert len(of(CloneSeen, actions)) > 1, "each time it is seen"
    assert {each.why for each in of(BeatIgnored, actions)} == {"fork"}


def test_a_box_let_in_anew_in_the_same_boot_is_a_new_start_and_no_second_box():
    fleet = Fleet("lab.n1")
    for _ in range(20):
        fleet.wait(1_000)
        fleet.beat(generation=1)
    for n in range(1, 40):  # past every number that the one before used
        fleet.wait(1_000)
        actions = fleet.beat(n=n, generation=2)
        assert not of(BeatIgnored, actions), actions
        assert not of(CloneSeen, actions)
        assert bool(of(AgentRestarted, actions)) is (n == 1)
    assert fleet.presence() == "online"


def test_an_identity_that_is_renewed_or_first_seen_is_no_new_start():
    fleet = Fleet("lab.n1")
    fleet.beat()  # as after our own restart: nobody's identity is known
    assert not of(AgentRestarted, fleet.beat(generation=1))
    assert not of(AgentRestarted, fleet.beat(generation=1))
    assert of(AgentRestarted, fleet.beat(incarnation=2, generation=2))
    assert {each.why for each in of(BeatIgnored, fleet.beat(n=9, generation=1))} == {"stale"}


def test_one_beat_that_is_delivered_twice_is_no_fork():
    fleet, actions = Fleet("lab.n1"), []
    for n in range(1, 12):
        fleet.wait(15_000)
        sent_ms = fleet.now_ms
        fleet.beat(n=n)
        fleet.wait(15_000)
        actions += fleet.beat(n=n, sent_ms=sent_ms)
    assert of(CloneChanged, actions) == []
    assert {each.why for each in of(BeatIgnored, actions)} == {"duplicate"}


def lossy(fleet, *, beats=BEATS):
    """Let every other beat of wan1 be lost; return what is said of it."""
    told = []
    for _ in range(beats):
        fleet.now_ms += 60_000
        fleet.n["lab.n1", "wan1", 1] += 1
        told += of(LossChanged, fleet.beat())
    return told


def test_beats_that_go_missing_on_a_path_that_is_up_are_told_and_so_is_their_end():
    fleet = Fleet("lab.n1")
    for _ in range(BEATS):
        fleet.now_ms += 30_000
        first = of(LossChanged, fleet.beat())
    assert first == [LossChanged("lab.n1", "wan1", 0, is_lossy=False, announce=False)]
    assert lossy(fleet) == [LossChanged("lab.n1", "wan1", LOST_MIN, is_lossy=True)]
    told = []
    for _ in range(BEATS):
        fleet.now_ms += 30_000
        told += of(LossChanged, fleet.beat())
    assert told == [LossChanged("lab.n1", "wan1", 0, is_lossy=False)]


@pytest.mark.parametrize("why", ["the path is down", "the node was dark", "the broker was lost"])
def test_beats_that_nobody_could_hear_are_no_loss(why):
    fleet = Fleet("lab.n1")
    both = (("wan1", "up"), ("wan2", "up"))
    for _ in range(BEATS):
        fleet.now_ms += 30_000
        fleet.beat(paths=both)
    if why == "the broker was lost":
        fleet.say(BrokerDown("b1"))
    for _ in range(BEATS):
        if why == "the path is down":
            fleet.beat(path="wan2", paths=both)
        fleet.wait(30_000)
    if why == "the broker was lost":
        fleet.say(BrokerUp("b1"))
    told = []
    fleet.n["lab.n1", "wan1", 1] += BEATS
    for _ in range(BEATS):
        told += of(LossChanged, fleet.beat(paths=both))
        fleet.wait(30_000)
    assert told == []


def test_what_a_broker_says_again_after_a_start_of_the_centre_is_no_second_box():
    fleet = Fleet()
    known = {"boot_id": b"b" * 16, "incarnation": 2, "was_heard": True}
    fleet.say(NodeAdded("lab.n1", "lab", 30_000, sent_ms=fleet.now_ms, **known))
    told, begun_ms = [], fleet.now_ms
    for n in range(1, 12):
        fleet.now_ms += 15_000
        told += of(CloneChanged, fleet.beat(n=n, incarnation=2))
        fleet.now_ms += 15_000
        old = {"incarnation": 1, "sent_ms": begun_ms - 100_000 + n}
        told += of(CloneChanged, fleet.beat(n=n, **old))
    assert told == []


def test_a_node_that_died_while_the_centre_was_down_is_not_heard_in_what_is_said_again():
    fleet = Fleet()
    known = {"boot_id": b"b" * 16, "incarnation": 2, "was_heard": True, "uptime_s": 9_000}
    fleet.say(NodeAdded("lab.n1", "lab", 30_000, **known))
    for n in range(1, 5):
        fleet.now_ms += 30_000
        again = fleet.beat(n=n, incarnation=2, uptime_s=8_000 + 30 * n)
        assert again == [BeatIgnored("lab.n1", "stale")]
    assert fleet.presence() == "unknown"
    for n in (5, 6):  # it lives, and its clock went back meanwhile
        fleet.beat(n=n, incarnation=2, uptime_s=9_000 + n, sent_ms=5)
    assert fleet.presence() == "online"
    fleet.beat(n=1, incarnation=3, uptime_s=3)  # counts from its own start, as some do
    assert fleet.core._nodes["lab.n1"].incarnation == 3
