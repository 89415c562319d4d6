"""A site is offered a release in its turn, within all caps."""

import msgspec
import pytest
from rollout_fleet import SmallFleet, running

from roost_central.rollout.head import AlarmSeen, Around
from roost_central.rollout.offering import capped
from roost_central.rollout.table import JobState, RolloutState
from roost_protocol.severity import Severity

R, J = RolloutState, JobState


def test_a_site_with_an_alarm_is_held_back_until_it_is_gone():
    fleet = SmallFleet()
    site = fleet.sites["s0002"]
    site.alarms.append(AlarmSeen("100.1|x", "100.1", Severity.MAJOR))
    fleet.rollout.start(fleet.now_ms)
    for _ in range(50):
        fleet.turn()
    assert fleet.rollout.jobs["s0002"].state is J.QUEUED
    assert "held back: alarm 100.1" in fleet.rollout.jobs["s0002"].detail
    site.alarms.clear()
    fleet.until_state(R.COMPLETED)


def test_sites_at_work_never_pass_the_caps():
    plan = "max_in_flight = {fleet = 7, wave = 4, hw_model = 3}\n"
    fleet = SmallFleet(plan=plan)
    fleet.rollout.start(fleet.now_ms)
    most = 0
    while fleet.rollout.head.state is not R.COMPLETED:
        fleet.turn()
        most = max(most, fleet.rollout.in_flight())
    assert most == 3


@pytest.mark.parametrize(
    ("caps", "told"),
    [
        ("fleet = 2", "max_in_flight.fleet = 2 sites are at work"),
        ("wave = 2", "max_in_flight.wave = 2 sites are at work"),
        ("hw_model = 2", "max_in_flight.hw_model = 2 sites of one model are at work"),
        ("fleet = 500", ""),
    ],
)
def test_a_wave_says_which_cap_its_sites_wait_for(caps, told):
    fleet = SmallFleet(plan=f"max_in_flight = {{{caps}}}\n")
    fleet.rollout.start(fleet.now_ms)
    assert capped(fleet.rollout, 0) == ""
    fleet.run(lambda: fleet.rollout.in_flight() > 1)
    assert capped(fleet.rollout, 0) == told


def test_a_wave_says_that_its_links_are_full():
    fleet = SmallFleet(plan="max_in_flight = {link = 2}\n")
    for job in [*fleet.rollout.jobs.values()]:
        fleet.rollout.put(msgspec.structs.replace(job, link="feed-1"))
    fleet.rollout.start(fleet.now_ms)
    fleet.run(lambda: fleet.rollout.in_flight() > 1)
    assert capped(fleet.rollout, 0) == "max_in_flight.link = 2 sites of one link are at work"


def test_other_rollouts_take_room_and_hold_their_sites():
    fleet = running()
    fleet.around = Around(in_flight=500)
    fleet.turn()
    assert not fleet.offered
    fleet.around = Around(busy={"s0000": "app/valve 2"})
    fleet.turn()
    assert [job.site for job in fleet.offered] == ["s0001", "s0002"]


def test_a_site_that_answers_no_offer_is_unreachable_after_the_third():
    fleet = running(s0001="mute")
    fleet.run(lambda: fleet.states()["s0001"] is J.UNREACHABLE, seconds=10)
    assert [job.site for job in fleet.offered].count("s0001") == 3


def test_a_site_that_postpones_is_asked_again():
    fleet = running(s0001="rejects")
    fleet.run(lambda: fleet.rollout.jobs["s0001"].put_off_ms)
    fleet.sites["s0001"].how = "well"
    fleet.until_state(R.COMPLETED)
