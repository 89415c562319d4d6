"""A change of profiles reaches its sites as a rollout does, over a real database."""

import pytest
from migrated import database_url
from profile_fleet import PLAN, SITES, ProfileFleet, TurnedClock, act

from roost_central.errors import RevisionConflictError
from roost_central.profiles.change import Wanted
from roost_central.profiles.desk import Approval
from roost_central.rollout.core import Rollout
from roost_central.rollout.table import JobState, MoveError, RolloutState
from roost_central.storage.engine import Database
from roost_central.storage.rollout_changes import ProfileTexts

R, J = RolloutState, JobState
SHORT = PLAN.replace("[wave_defaults]", "[wave_defaults]\ndeadline_h = 1.0")


@pytest.fixture
async def fleet(tmp_path):
    clock = TurnedClock()
    database = await Database.open(database_url(tmp_path), clock=clock)
    fleet = ProfileFleet(database, clock)
    async with database.read() as connection:
        await fleet.book.load(connection)
    await fleet.store()
    await fleet.begin()
    await fleet.settled_at(10)
    yield fleet
    await database.close()


async def test_a_good_change_reaches_every_site_wave_by_wave(fleet):
    id_ = await fleet.started(20)
    await fleet.turn()
    await fleet.turn()
    assert len(fleet.new()) == 2
    await fleet.until_state(id_, R.COMPLETED)
    assert fleet.new() == {*SITES}
    await fleet.turn()
    assert not fleet.profiles.holding.rollouts()
    assert {row.config.held_by for row in fleet.view.nodes.values()} == {""}


async def test_a_bad_change_halts_in_its_canary_and_goes_back(fleet):
    fleet.broken = {*fleet.view.nodes}
    id_ = await fleet.started(20)
    head = await fleet.until_state(id_, R.PAUSED)
    assert "kernel: no such setting" in str(fleet.states())
    assert fleet.new() == set()
    assert head.wave == 0
    fleet.broken = set()
    await fleet.runner.acts.change(
        id_, lambda r, now: r.roll_back("bad", now), act("rollout.roll-back")
    )
    await fleet.until_state(id_, R.ROLLED_BACK)
    for _ in range(5):
        await fleet.turn()
    assert fleet.new() == set()
    assert {row.config.state for row in fleet.view.nodes.values()} == {"in-sync"}
    assert (await fleet.apply(10)).changed == 0


async def test_what_reached_some_sites_goes_back_by_the_same_gates(fleet):
    id_ = await fleet.started(20)
    await fleet.until(lambda: len(fleet.new()) == 6)
    await fleet.runner.acts.change(
        id_, lambda r, now: r.roll_back("bad", now), act("rollout.roll-back")
    )
    await fleet.until_state(id_, R.ROLLED_BACK)
    assert fleet.new() == set()


async def test_who_was_not_reached_when_it_is_aborted_keeps_what_it_had(fleet):
    id_ = await fleet.started(20)
    await fleet.until(lambda: len(fleet.new()) == 2)
    reached = fleet.new()
    await fleet.runner.acts.change(id_, lambda r, now: r.abort("no", now), act("rollout.abort"))
    await fleet.until_state(id_, R.ABORTED)
    await fleet.begin()
    for _ in range(5):
        await fleet.turn()
    assert fleet.new() == reached
    held = {row.site for row in fleet.view.nodes.values() if row.config.held_by == id_}
    assert held == {*SITES} - reached


async def test_an_aborted_rollout_gives_way_to_the_next_one_of_its_profiles(fleet):
    id_ = await fleet.started(20)
    await fleet.until(lambda: len(fleet.new()) == 2)
    await fleet.runner.acts.change(id_, lambda r, now: r.abort("no", now), act("rollout.abort"))
    await fleet.until_state(id_, R.ABORTED)
    await fleet.turn()
    reached = fleet.new()
    again = await fleet.started(20, id_="a" * 32)
    assert fleet.runner.open[again].rollout.jobs.keys() == {*SITES} - reached
    await fleet.turn()
    assert len(fleet.new()) < 6
    await fleet.until_state(again, R.COMPLETED)
    assert fleet.new() == {*SITES}


async def test_a_centre_that_was_killed_goes_on_where_it_was(fleet):
    id_ = await fleet.started(20)
    await fleet.until(lambda: len(fleet.new()) == 2)
    await fleet.begin()
    await fleet.deliver()
    await fleet.deliver()
    assert len(fleet.new()) == 2
    await fleet.until_state(id_, R.COMPLETED)
    assert fleet.new() == {*SITES}


async def test_a_box_that_comes_for_a_removed_site_is_not_held_back(fleet):
    id_ = await fleet.started(20)
    await fleet.until(lambda: len(fleet.new()) == 2)
    [site, *_] = sorted({*SITES} - fleet.new())
    assert fleet.profiles.holding.change_of(f"{site}.n1") == id_
    await fleet.runner.forget(site)
    await fleet.begin()
    assert not fleet.profiles.holding.change_of(f"{site}.n1")
    await fleet.until_state(id_, R.COMPLETED)


async def test_another_change_of_the_profile_is_refused_meanwhile(fleet):
    await fleet.started(20)
    with pytest.raises(RevisionConflictError, match="rollout"):
        await fleet.apply(30)


async def test_who_was_told_nothing_yet_does_not_count_as_having_it(fleet):
    await fleet.started(20)
    await fleet.look()  # before the delivery has read what nodes should be now
    assert "not_needed" not in str(fleet.states())


async def test_nothing_counts_before_it_is_started(fleet):
    await fleet.make(20)
    for _ in range(3):
        await fleet.turn()
    assert fleet.new() == set()
    assert not fleet.profiles.holding.rollouts()
    assert (await fleet.apply(10)).changed == 0


async def test_one_that_removes_what_is_gone_by_then_says_so_at_its_start(fleet):
    gone = ProfileTexts((), ("all",))
    fleet.texts = lambda _swappiness: gone
    id_ = await fleet.make(0)
    await fleet.profiles.apply(
        Wanted((), gone.remove), lambda _: None, Approval("ann", "why"), lambda _plan: act()
    )
    with pytest.raises(MoveError, match="another change of profiles came in between"):
        await fleet.runner.acts.start(id_, act("rollout.start"))


async def test_of_two_of_one_profile_made_at_once_one_is_taken(fleet):
    await fleet.make(20)
    with pytest.raises(MoveError, match=r"has profile all as well .* plan it anew"):
        await fleet.make(30, id_="a" * 32)


async def test_a_refused_change_is_tried_again_by_retry(fleet):
    fleet.refusing = {*fleet.view.nodes}
    id_ = await fleet.started(20)
    await fleet.until_state(id_, R.PAUSED)
    fleet.refusing = set()
    await fleet.runner.acts.change(id_, lambda r, now: Rollout.resume(r, "retry", now), act("x"))
    await fleet.until_state(id_, R.COMPLETED)
    assert fleet.new() == {*SITES}


async def test_a_silent_site_has_it_when_it_is_back(fleet):
    silent = "s3"
    fleet.heard[f"{silent}.n1"] = None
    fleet.view.nodes[f"{silent}.n1"].presence = "unreachable"
    id_ = await fleet.started(20)
    await fleet.until(lambda: len(fleet.new()) == 5)
    fleet.heard[f"{silent}.n1"] = 1
    fleet.view.nodes[f"{silent}.n1"].presence = "online"
    await fleet.until_state(id_, R.COMPLETED)
    assert silent in fleet.new()


async def test_a_wave_waits_with_the_windows_of_its_nodes_however_long(fleet):
    fleet.shut = {*fleet.view.nodes}
    id_ = await fleet.started(20, plan=SHORT)
    await fleet.until(lambda: "waiting" in str(fleet.states()))
    for _ in range(3):
        await fleet.turn(3 * 3_600)
    assert fleet.head(id_).state is R.RUNNING
    assert fleet.head(id_).wave == 0
    fleet.shut = set()
    fleet.open_windows()
    await fleet.until_state(id_, R.COMPLETED)


async def test_a_wave_that_does_not_have_it_in_time_stops(fleet):
    fleet.mute = {*fleet.view.nodes}
    id_ = await fleet.started(20, plan=SHORT)
    for _ in range(4):
        await fleet.turn(3 * 3_600)
    assert fleet.head(id_).state is R.PAUSED


async def test_who_waits_for_a_window_and_is_given_up_never_applies_it(fleet):
    fleet.shut = {*fleet.view.nodes}
    id_ = await fleet.started(20)
    await fleet.until(lambda: "waiting" in str(fleet.states()))
    await fleet.runner.acts.change(id_, lambda r, now: r.abort("no", now), act("rollout.abort"))
    await fleet.until_state(id_, R.ABORTED)
    fleet.shut = set()
    for _ in range(3):
        await fleet.turn()
    fleet.open_windows()
    assert fleet.new() == set()
