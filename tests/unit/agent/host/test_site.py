"""The hosts of a site to its coordinator: lost, back, and the network that is to blame."""

import pytest

from roost_agent.host import transitions as tr
from roost_agent.host.around import Power
from roost_agent.host.blame import DEAD_OFFICE_MS, MNFA_EXIT_MS
from roost_agent.host.core import TICK_MS
from roost_agent.host.evidence import MINOR
from roost_agent.host.graceful import SETTLED_MS, TAKE_UP_MS, TRIES
from roost_agent.host.kept import Locked
from roost_agent.host.ladder import EXHAUSTED
from roost_agent.host.moment import Moment
from roost_agent.host.peer import LOST, MUTED_TASK, WAIT_TASK
from roost_agent.host.policy import Failure, Policy
from roost_agent.host.resets import AFTER_MS
from roost_agent.host.sight import Sight
from roost_agent.host.site import ANEW_TASK, DEGRADE, GOOD, HEARTBEAT, OFF_TASK, QUIET_MS, SiteHosts
from roost_protocol.host import is_legal

WALL = 1_800_000_000_000
OLD_MS = 10_000_000  # of uptime: nothing powers up


class Rig:
    """A coordinator and its peers, tick by tick."""

    def __init__(self, *names, failure=Failure.FAIL, uptime_ms=OLD_MS, policy=None):
        self.ms = 0
        self.uptime_ms = uptime_ms
        self.names = names
        self.boots = dict.fromkeys(names, "aa" * 16)
        self.told = dict.fromkeys(names, tr.AVAILABLE)
        self.more = {name: {} for name in names}
        self.policy = policy or Policy(failure)
        self.site = SiteHosts(self.now, self.policy)

    @property
    def now(self):
        return Moment(self.ms, WALL + self.ms)

    def tick(self, *silent, times=1):
        for _ in range(times):
            self.ms += TICK_MS
            sights = [
                Sight(
                    name,
                    name not in silent,
                    self.told[name],
                    self.boots[name],
                    self.uptime_ms + self.ms,
                    **self.more[name],
                )
                for name in self.names
            ]
            self.site.tick(sights, self.uptime_ms + self.ms, self.now)
            assert all(is_legal(h.admin, h.oper, h.avail) for h in self.site.hosts())

    def of(self, name):
        [found] = [each for each in self.site.hosts() if each.node == name]
        return found

    def state(self, name):
        said = self.of(name)
        return said.admin, said.oper, said.avail


def test_a_host_that_speaks_is_what_it_says():
    rig = Rig("n2", "n3")
    rig.told["n3"] = tr.LOCKED_ONLINE
    rig.tick()
    assert (rig.state("n2"), rig.state("n3")) == (tr.AVAILABLE, tr.LOCKED_ONLINE)
    rig.told["n2"] = tr.DEGRADED
    rig.tick()
    assert rig.state("n2") == tr.DEGRADED
    assert rig.of("n2").cause == "it says that it is well"


def test_a_silent_host_is_degraded_then_failed_by_the_ticks_it_missed():
    rig = Rig("n2", "n3")
    rig.tick(times=20)
    rig.tick("n2", times=DEGRADE - 1)
    assert rig.state("n2") == tr.AVAILABLE
    rig.tick("n2")
    assert (rig.state("n2"), list(rig.of("n2").reasons)) == (tr.DEGRADED, [HEARTBEAT])
    rig.tick("n2", times=LOST - DEGRADE - 1)
    assert rig.state("n2") == tr.DEGRADED
    rig.tick("n2")
    assert (rig.state("n2"), rig.of("n2").task) == (tr.FAILED, WAIT_TASK)
    assert rig.of("n2").cause == f"its heartbeat is lost for {LOST} ticks"
    assert rig.state("n3") == tr.AVAILABLE
    assert [each.text for each in rig.site.evidence] == [f"silent for {MINOR} ticks"]


def test_the_loss_of_a_host_names_the_paths_that_are_silent():
    rig = Rig("n2")
    rig.more["n2"] = {"ways": ("lan/udp", "oob/c0"), "by_way": 0b11}
    rig.tick(times=20)
    rig.tick("n2", times=DEGRADE)
    assert rig.of("n2").cause == f"silent for {DEGRADE} ticks on every path: lan/udp, oob/c0"
    rig.tick("n2", times=LOST - DEGRADE)
    assert rig.of("n2").cause == (
        f"its heartbeat is lost for {LOST} ticks on every path: lan/udp, oob/c0"
    )


def test_a_host_that_says_it_failed_says_by_which_stage_and_for_want_of_what():
    rig = Rig("n2")
    rig.told["n2"] = tr.FAILED
    rig.more["n2"] = {"stage": "processes", "reasons": frozenset({"process"})}
    rig.tick()
    told = rig.of("n2")
    assert (told.cause, told.task) == (
        "it says that it failed: processes (process)", "recovers by itself",
    )  # fmt: skip
    assert told.reasons == {}, "degraded is another state"


def test_one_tick_that_comes_in_between_begins_the_count_anew():
    rig = Rig("n2")
    rig.tick(times=20)
    for _ in range(5):
        rig.tick("n2", times=LOST - 1)
        rig.tick()
    assert rig.state("n2") == tr.AVAILABLE
    assert "heard again after 9 ticks" in {each.text for each in rig.site.evidence}


@pytest.mark.parametrize(
    ("boot", "cause"),
    [
        ("aa" * 16, "heard again: it never went down; it says that it is well"),
        ("bb" * 16, "heard again: it booted meanwhile; it says that it is well"),
    ],
)
def test_a_lost_host_is_back_after_good_ticks_and_its_boot_says_what_happened(boot, cause):
    rig = Rig("n2")
    rig.tick(times=5)
    rig.tick("n2", times=LOST)
    rig.boots["n2"] = boot
    rig.tick(times=GOOD - 1)
    assert rig.state("n2") == tr.FAILED
    rig.tick()
    assert (rig.state("n2"), rig.of("n2").cause) == (tr.AVAILABLE, cause)
    assert rig.of("n2").boot_id == boot


@pytest.mark.parametrize(
    ("told", "after"),
    [(tr.LOCKED_ONLINE, tr.LOCKED_OFFLINE), (tr.INTEST, tr.OFFLINE), (tr.FAILED, tr.OFFLINE)],
)
def test_who_was_not_in_service_goes_offline(told, after):
    rig = Rig("n2")
    rig.told["n2"] = told
    rig.tick(times=5)
    rig.tick("n2", times=LOST)
    assert rig.state("n2") == after


def test_several_silent_at_once_are_the_network_and_nobody_is_failed():
    rig = Rig("n2", "n3", "n4")
    rig.tick(times=20)
    rig.tick("n2", "n3", times=300)
    assert (rig.site.is_mnfa, rig.site.silent) == (True, 2)
    assert {rig.state("n2"), rig.state("n3")} == {tr.DEGRADED}
    assert rig.of("n2").task == WAIT_TASK
    rig.tick(times=MNFA_EXIT_MS // TICK_MS)
    assert rig.site.is_mnfa
    rig.tick()
    assert not rig.site.is_mnfa
    assert {rig.state(name) for name in rig.names} == {tr.AVAILABLE}


def test_who_stays_silent_when_the_others_are_back_is_failed_then():
    rig = Rig("n2", "n3")
    rig.tick(times=20)
    rig.tick("n2", "n3", times=60)
    rig.tick("n2", times=MNFA_EXIT_MS // TICK_MS)
    assert rig.state("n2") == tr.DEGRADED
    rig.tick("n2", times=2)
    assert (rig.state("n2"), rig.state("n3")) == (tr.FAILED, tr.AVAILABLE)


def test_hosts_that_were_lost_long_ago_are_no_storm():
    rig = Rig("n2", "n3")
    rig.tick(times=20)
    rig.tick("n2", times=LOST)
    rig.tick("n2", "n3", times=LOST)
    assert not rig.site.is_mnfa
    assert rig.state("n3") == tr.FAILED


def test_nobody_is_failed_while_the_whole_site_powers_up():
    rig = Rig("n2", uptime_ms=0)
    rig.tick(times=20)
    rig.tick("n2", times=60)
    assert (rig.site.is_dead_office, rig.state("n2")) == (True, tr.DEGRADED)
    rig.tick("n2", times=DEAD_OFFICE_MS // TICK_MS)
    assert (rig.site.is_dead_office, rig.state("n2")) == (False, tr.FAILED)


@pytest.mark.parametrize(
    ("failure", "after"),
    [
        (Failure.DEGRADE, tr.DEGRADED),
        (Failure.ALARM, tr.AVAILABLE),
        (Failure.NONE, tr.AVAILABLE),
    ],
)
def test_a_site_may_want_less_done_about_a_lost_heartbeat(failure, after):
    rig = Rig("n2", failure=failure)
    rig.tick(times=20)
    rig.tick("n2", times=2 * LOST)
    assert rig.state("n2") == after


def test_a_new_coordinator_listens_before_it_tells():
    rig = Rig("n2")
    assert rig.site.hosts() == []
    assert not rig.site.may_tell(rig.now), "it has not looked"
    rig.tick("n2", times=2 * LOST)
    assert not rig.site.may_tell(Moment(QUIET_MS - 1, WALL))
    assert rig.site.may_tell(Moment(QUIET_MS, WALL))
    assert rig.state("n2") == tr.OFFLINE, "never heard: nothing was lost"
    assert rig.of("n2").cause == "not heard yet"


def test_who_has_heard_them_all_waits_no_longer():
    rig = Rig("n2", "n3")
    rig.tick("n3")
    assert not rig.site.may_tell(rig.now)
    rig.tick()
    assert rig.site.may_tell(rig.now)


def test_a_locked_host_that_is_silent_since_before_this_node_began_stays_locked():
    rig = Rig("n2", "n3")
    rig.site = SiteHosts(rig.now, kept=Locked(["n2"]))
    rig.tick("n2", "n3", times=2 * LOST)
    assert (rig.state("n2"), rig.state("n3")) == (tr.LOCKED_OFFLINE, tr.OFFLINE)
    assert rig.site.locked() == ["n2"]


def test_a_host_says_why_it_is_degraded_and_since_when_is_counted_from_its_first_word():
    rig = Rig("n2")
    rig.more["n2"] = {"reasons": frozenset({"process"}), "is_exhausted": True}
    rig.tick()
    first = rig.now.wall_ms
    rig.tick(times=5)
    assert rig.of("n2").reasons == {"process": first}
    assert rig.of("n2").task == EXHAUSTED
    rig.more["n2"] = {}
    rig.tick()
    assert (rig.of("n2").reasons, rig.of("n2").task) == ({}, "")


def test_a_host_in_maintenance_that_dies_is_told_as_failed_and_nothing_is_done_until_that_ends():
    rig = Rig("n2", "n3")
    rig.more["n2"] = {"maintenance_ms": 60_000}
    rig.tick(times=3)
    until_ms = rig.of("n2").maintenance_until_ms
    assert until_ms == WALL + TICK_MS + 60_000, "it stays, though it is told anew by the minute"
    rig.tick("n2", times=LOST)
    assert (rig.state("n2"), rig.of("n2").task) == (tr.FAILED, MUTED_TASK)
    assert rig.of("n2").maintenance_until_ms == until_ms, "the centre mutes its alarms by it"
    assert (rig.site.serving(), rig.site.lost(rig.now)) == (["n3"], [])
    rig.tick("n2", times=60)
    assert (rig.state("n2"), rig.of("n2").task) == (tr.FAILED, WAIT_TASK)
    [lost] = rig.site.lost(rig.now)
    assert lost.since_ms == until_ms - WALL - TICK_MS, "what is done counts from the end of that"
    assert rig.of("n2").maintenance_until_ms == 0, "and its alarms are raised from then on"


def test_a_maintenance_counts_from_its_first_word_also_of_a_host_that_was_lost():
    rig = Rig("n2", "n3")
    rig.tick()
    rig.tick("n2", times=LOST)
    rig.ms += 3_600_000
    rig.more["n2"] = {"maintenance_ms": 60_000}
    rig.tick(times=2)
    rig.tick("n2", times=2)
    assert (rig.state("n2"), rig.of("n2").task) == (tr.FAILED, MUTED_TASK)
    assert rig.site.lost(rig.now) == [], "it was lost an hour ago, and would be reset at once"


def test_a_host_that_is_let_be_by_its_sites_settings_serves_no_more_once_it_is_lost():
    rig = Rig("n2", "n3", failure=Failure.ALARM)
    rig.tick(times=3)
    rig.tick("n2", times=LOST)
    assert (rig.state("n2"), rig.site.serving()) == (tr.AVAILABLE, ["n3"])


def test_a_host_that_is_heard_for_the_first_time_need_not_be_heard_ten_times():
    rig = Rig("n2")
    rig.tick()
    assert rig.state("n2") == tr.AVAILABLE


def test_an_older_agent_says_nothing_of_its_host_and_is_what_it_was():
    rig = Rig("n2")
    rig.told["n2"] = None
    rig.tick(times=5)
    assert rig.state("n2") == tr.OFFLINE


def test_more_than_the_threshold_blame_the_network_for_as_long_as_is_said():
    rig = Rig("n2", "n3", "n4", policy=Policy(mnfa_threshold=3, mnfa_timeout_ms=100_000))
    rig.tick(times=3)
    rig.tick("n2", "n3", times=LOST)
    assert (rig.site.is_mnfa, rig.state("n2")) == (False, tr.FAILED), "two are not three"
    rig.tick(times=2 * GOOD)
    rig.tick("n2", "n3", "n4", times=100)
    assert (rig.site.is_mnfa, rig.state("n2")) == (True, tr.DEGRADED)
    rig.tick("n2", "n3", "n4", times=MINOR + 1)
    assert {rig.state(name) for name in rig.names} == {tr.FAILED}, "for so long and no longer"
    assert not rig.site.is_mnfa


def test_a_silent_host_may_be_an_alarm_alone():
    rig = Rig("n2", failure=Failure.ALARM)
    rig.tick()
    rig.tick("n2", times=2 * LOST)
    assert (rig.state("n2"), list(rig.of("n2").reasons)) == (tr.AVAILABLE, [HEARTBEAT])
    rig.tick(times=GOOD)
    assert rig.of("n2").reasons == {}


def locked(rig, node="n2"):
    rig.tick(times=5)
    rig.tick(node, times=LOST)
    rig.site.lock(node, "locked by ann: fan", rig.now)
    return rig


def test_a_silent_host_that_is_locked_is_offline_and_forgotten_once_it_says_that_it_is():
    rig = locked(Rig("n2", "n3"))
    assert (rig.state("n2"), rig.of("n2").cause) == (tr.LOCKED_OFFLINE, "locked by ann: fan")
    rig.tick("n2", times=LOST)
    assert rig.state("n2") == tr.LOCKED_OFFLINE
    assert rig.site.lost(rig.now) == [], "nothing more is done about it"
    rig.tick(times=GOOD)
    assert rig.state("n2") == tr.AVAILABLE, "what it says counts"
    assert rig.site.absent() == {"n2": "locked by ann: fan"}
    rig.told["n2"] = tr.LOCKED_ONLINE
    rig.tick()
    assert (rig.state("n2"), rig.site.absent()) == (tr.LOCKED_ONLINE, {})


def test_a_lock_in_absence_is_taken_over_from_who_coordinates_and_given_up_with_it():
    rig = Rig("n2", "n3")
    rig.tick(times=5)
    rig.tick("n2", times=LOST)
    rig.site.adopt("n1", {"n2"}, rig.now)
    assert (rig.state("n2"), list(rig.site.absent())) == (tr.LOCKED_OFFLINE, ["n2"])
    rig.site.adopt("n1", {"n2"}, rig.now)
    rig.site.adopt("n1", set(), rig.now)
    assert rig.site.absent() == {}


def test_a_lock_in_absence_outlives_the_agent_that_took_it():
    rig = Rig("n2", "n3")
    rig.site = SiteHosts(rig.now, kept=Locked(["n2"], {"n2": "locked by ann: fan"}))
    assert rig.site.absent() == {"n2": "locked by ann: fan"}
    rig.tick("n2", times=3)
    assert (rig.state("n2"), rig.of("n2").cause) == (tr.LOCKED_OFFLINE, "locked by ann: fan")
    assert list(rig.site.absent()) == ["n2"]


def test_only_a_host_that_is_silent_unlocked_and_known_is_locked_so():
    rig = Rig("n2", "n3", "n4")
    rig.told["n3"] = tr.LOCKED_ONLINE
    rig.tick(times=5)
    assert "is heard here" in rig.site.why_not_lock("n2")
    assert "locked already" in rig.site.why_not_lock("n3")
    assert "no other host" in rig.site.why_not_lock("n9")
    rig.tick("n2", times=LOST - 1)
    assert "silent for 9 ticks, and lost after 10" in rig.site.why_not_lock("n2")
    rig.tick("n2")
    assert rig.site.why_not_lock("n2") == ""


def test_a_host_that_died_in_maintenance_can_be_locked():
    rig = Rig("n2", "n3")
    rig.more["n2"] = {"maintenance_ms": 10**9}
    rig.tick(times=5)
    rig.tick("n2", times=LOST)
    assert rig.site.why_not_lock("n2") == ""
    rig.site.lock("n2", "locked by ann: fan", rig.now)
    rig.tick("n2", times=LOST)
    assert (rig.state("n2"), rig.of("n2").task) == (tr.LOCKED_OFFLINE, "")


def test_the_true_reason_is_said_why_a_silent_host_cannot_be_locked_in_a_storm_or_at_power_up():
    rig = Rig("n2", "n4")
    rig.tick(times=5)
    rig.tick("n2", "n4", times=2 * LOST)
    assert "the network is to blame" in rig.site.why_not_lock("n2")
    rig = Rig("n2", uptime_ms=0)
    rig.tick(times=20)
    rig.tick("n2", times=2 * LOST)
    assert "powered up a moment ago" in rig.site.why_not_lock("n2")


def restarted(rig, away_ms=0):
    """The agent of this node starts again, with what is on its disk."""
    kept = rig.site.memory()
    rig.ms += away_ms
    rig.site = SiteHosts(rig.now, rig.policy, kept)
    assert rig.site.memory() == kept, "not lost where it ends before it has looked"
    return rig


def test_a_failed_host_stays_failed_over_a_restart_of_the_coordinator():
    rig = Rig("n2")
    rig.tick(times=20)
    rig.tick("n2", times=LOST)
    before, lost = rig.of("n2"), rig.site.lost(rig.now)
    restarted(rig, away_ms=7_000).tick("n2")
    told = rig.of("n2")
    assert (rig.state("n2"), told.task, told.boot_id) == (tr.FAILED, WAIT_TASK, before.boot_id)
    assert told.since_ms == before.since_ms, "the same transition: nothing new for the centre"
    assert told.cause == f"{before.cause}, before this agent started"
    assert rig.site.lost(rig.now) == lost, "what is done about it goes on"
    assert not rig.site.may_tell(rig.now), "it may have come back while this node was away"
    rig.boots["n2"] = "bb" * 16
    rig.tick(times=GOOD - 1)
    assert rig.state("n2") == tr.FAILED
    rig.tick()
    assert rig.of("n2").cause == "heard again: it booted meanwhile; it says that it is well"
    assert (rig.site.may_tell(rig.now), rig.site.memory().failed) == (True, {})


def test_a_maintenance_and_its_end_are_kept_with_a_host_that_failed_in_it():
    rig = Rig("n2")
    rig.more["n2"] = {"maintenance_ms": 60_000}
    rig.tick(times=3)
    until_ms = rig.of("n2").maintenance_until_ms
    rig.tick("n2", times=LOST)
    since_ms = rig.of("n2").since_ms
    restarted(rig).tick("n2")
    assert (rig.of("n2").maintenance_until_ms, rig.site.lost(rig.now)) == (until_ms, [])
    rig.tick("n2", times=60)
    restarted(rig).tick("n2")
    [lost] = rig.site.lost(rig.now)
    assert (lost.since_ms, rig.of("n2").since_ms) == (until_ms - WALL, since_ms)


def test_a_loss_of_the_future_is_so_old_that_another_may_have_reset_the_host():
    rig = Rig("n2")
    rig.tick(times=20)
    rig.tick("n2", times=LOST)
    kept = rig.site.memory()
    now = Moment(rig.ms, WALL - 10**9)
    rig.site = SiteHosts(now, kept=Locked(failed=kept.failed))
    rig.site.tick([Sight("n2", False)], OLD_MS, now)
    assert [each.since_ms for each in rig.site.lost(now)] == [rig.ms - AFTER_MS]


def test_a_host_that_failed_before_is_not_failed_where_its_site_wants_less_done_by_now():
    rig = Rig("n2")
    rig.tick(times=20)
    rig.tick("n2", times=LOST)
    rig.policy = Policy(Failure.ALARM)
    kept = rig.site.memory()
    rig.site = SiteHosts(rig.now, rig.policy, Locked(failed=kept.failed))
    rig.tick("n2")
    assert (rig.state("n2"), rig.site.lost(rig.now)) == (tr.OFFLINE, [])


def off(rig, name="n2", *, is_on=False, at_ms=None):
    read = Power(is_on, rig.ms if at_ms is None else at_ms)
    rig.site.powered(name, read, rig.now)


def test_a_silent_host_whose_controller_reads_off_has_no_power_and_is_not_reset():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    rig.tick("n2", times=LOST)
    assert rig.site.out() == ["n2"]
    off(rig)
    assert rig.state("n2") == tr.POWER_OFF
    assert rig.of("n2").cause == "its board controller reads Off, twice"
    assert rig.of("n2").task == OFF_TASK
    rig.tick("n2", times=AFTER_MS // 1_000)
    assert rig.site.lost(rig.now) == []


def test_a_host_that_gets_power_again_is_offline_until_it_is_heard():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    rig.tick("n2", times=LOST)
    off(rig)
    rig.tick("n2")
    off(rig, is_on=True)
    assert rig.state("n2") == tr.OFFLINE
    assert rig.of("n2").task == ""
    rig.boots["n2"] = "bb" * 16
    rig.tick(times=GOOD)
    assert rig.state("n2") == tr.AVAILABLE


def test_what_a_controller_read_before_a_host_was_heard_says_nothing():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    at_ms = rig.ms
    rig.tick("n2", times=LOST)
    off(rig, at_ms=at_ms)
    assert rig.state("n2") == tr.FAILED


def test_a_host_that_speaks_is_not_out_whatever_its_controller_reads():
    rig = Rig("n2", "n3")
    rig.told["n2"] = tr.LOCKED_ONLINE
    rig.tick(times=3)
    assert rig.site.out() == []
    off(rig, at_ms=rig.ms)
    assert rig.state("n2") == tr.LOCKED_ONLINE


def test_a_locked_host_that_was_switched_off_is_locked_and_without_power():
    rig = Rig("n2", "n3")
    rig.told["n2"] = tr.LOCKED_ONLINE
    rig.tick(times=3)
    rig.tick("n2", times=LOST)
    off(rig)
    assert (rig.state("n2"), rig.of("n2").task) == (tr.LOCKED_POWER_OFF, "")


def test_a_host_without_power_is_locked_as_it_is():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    rig.tick("n2", times=LOST)
    off(rig)
    assert rig.site.why_not_lock("n2") == ""
    rig.site.lock("n2", "locked by ann: fan", rig.now)
    assert rig.state("n2") == tr.LOCKED_POWER_OFF


def by_one_path(rig, *names):
    for name in rig.names:
        rig.more[name] = {"ways": ("lan0", "lan1"), "by_way": 0b01 if name in names else 0b11}


@pytest.mark.parametrize("told", [tr.AVAILABLE, tr.DEGRADED])
def test_a_host_that_is_silent_on_one_path_alone_is_degraded_and_never_lost(told):
    rig = Rig("n2", "n3")
    rig.told["n2"] = told
    by_one_path(rig)
    rig.tick(times=3)
    by_one_path(rig, "n2")
    rig.tick(times=DEGRADE)
    since_ms = rig.now.wall_ms
    rig.tick(times=60)
    assert rig.state("n2") == tr.DEGRADED
    assert rig.of("n2").reasons == {"heartbeat-lan": since_ms}
    assert rig.of("n2").cause.endswith("heartbeat-lan: not heard on lan1")
    by_one_path(rig)
    rig.tick(times=GOOD)
    assert (rig.state("n2"), rig.of("n2").reasons) == (told, {})


@pytest.mark.parametrize("failure", [Failure.ALARM, Failure.NONE])
def test_a_path_degrades_nobody_where_a_loss_does_not(failure):
    rig = Rig("n2", "n3", failure=failure)
    by_one_path(rig, "n2")
    rig.tick(times=60)
    assert rig.state("n2") == tr.AVAILABLE


def test_a_locked_host_has_no_reason_by_what_others_know_of_it():
    rig = Rig("n2", "n3")
    rig.told["n2"] = tr.LOCKED_ONLINE
    by_one_path(rig, "n2")
    rig.tick(times=60)
    assert (rig.state("n2"), rig.of("n2").reasons) == (tr.LOCKED_ONLINE, {})


def test_a_host_that_is_back_and_failed_says_so_in_its_cause_and_not_its_loss():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    rig.tick("n2", times=LOST)
    since_ms = rig.of("n2").since_ms
    rig.told["n2"], rig.more["n2"] = tr.FAILED, {"stage": "processes"}
    rig.tick(times=GOOD)
    assert rig.state("n2") == tr.FAILED
    words = "heard again: it never went down; it says that it failed: processes"
    assert (rig.of("n2").cause, rig.of("n2").since_ms) == (words, since_ms)
    rig.tick(times=5)
    assert rig.of("n2").cause == words, "it is why it stands so"


def test_a_host_that_is_degraded_and_falls_silent_says_so_in_its_cause():
    rig = Rig("n2", "n3")
    by_one_path(rig, "n2")
    rig.tick(times=20)
    by_one_path(rig)
    rig.tick("n2", times=DEGRADE)
    assert rig.of("n2").cause == f"silent for {DEGRADE} ticks on every path: lan0, lan1"


def goes_and_comes(rig, times):
    for _ in range(times):
        rig.tick("n2", times=LOST)
        assert rig.state("n2") == tr.FAILED
        rig.tick(times=GOOD)


def test_who_is_lost_and_back_without_a_boot_so_often_is_to_run_its_recovery():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    goes_and_comes(rig, TRIES)
    assert (rig.state("n2"), rig.site.anew(rig.now)) == (tr.AVAILABLE, frozenset())
    goes_and_comes(rig, 1)
    assert (rig.state("n2"), rig.site.anew(rig.now)) == (tr.FAILED, {"n2"})
    assert rig.of("n2").task == ANEW_TASK
    assert rig.site.serving() == ["n3"]
    rig.told["n2"] = tr.FAILED
    rig.tick()
    assert rig.site.anew(rig.now) == frozenset()
    rig.told["n2"] = tr.AVAILABLE
    rig.tick()
    assert rig.state("n2") == tr.AVAILABLE
    goes_and_comes(rig, TRIES)
    assert rig.state("n2") == tr.AVAILABLE, "it begins from nought"


def test_the_agent_after_this_one_counts_on():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    goes_and_comes(rig, TRIES)
    rig.site = SiteHosts(rig.now, rig.policy, rig.site.memory())
    rig.tick(times=3)
    goes_and_comes(rig, 1)
    assert rig.site.anew(rig.now) == {"n2"}


def test_who_does_not_take_it_up_is_what_it_says_after_a_while_and_asked_at_its_next_return():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    goes_and_comes(rig, TRIES + 1)
    rig.tick(times=TAKE_UP_MS // 1_000)
    assert (rig.state("n2"), rig.site.anew(rig.now)) == (tr.AVAILABLE, frozenset())
    goes_and_comes(rig, 1)
    assert rig.site.anew(rig.now) == {"n2"}


def test_who_falls_silent_while_it_is_to_run_its_recovery_is_lost_as_any():
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    goes_and_comes(rig, TRIES + 1)
    rig.tick("n2", times=LOST)
    assert [each.node for each in rig.site.lost(rig.now)] == ["n2"]


@pytest.mark.parametrize("begins", ["boots", "serves for an hour", "is locked"])
def test_who_begins_from_nought_is_taken_back_as_often_again(begins):
    rig = Rig("n2", "n3")
    rig.tick(times=3)
    goes_and_comes(rig, TRIES)
    if begins == "boots":
        rig.tick("n2", times=LOST)
        rig.boots["n2"] = "cc" * 16
        rig.tick(times=GOOD)
    elif begins == "is locked":
        rig.told["n2"] = tr.LOCKED_ONLINE
        rig.tick()
        rig.told["n2"] = tr.AVAILABLE
        rig.tick()
    else:
        rig.ms += SETTLED_MS
        rig.tick()
    assert rig.site.memory().tries == {}
    goes_and_comes(rig, TRIES)
    assert rig.state("n2") == tr.AVAILABLE


def test_what_comes_and_goes_in_maintenance_does_not_count():
    rig = Rig("n2", "n3")
    rig.more["n2"] = {"maintenance_ms": 7_200_000}
    rig.tick(times=3)
    goes_and_comes(rig, TRIES + 2)
    assert rig.site.memory().tries == {}
