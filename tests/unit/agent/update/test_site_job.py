from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.update.site_blocks import SYNC_MS_MAX
from roost_agent.update.site_job import ANSWERS_MS, Phase, decide
from roost_agent.update.site_standing import Apply, Head, Job, Member, Role, Site, is_busy
from roost_agent.update.step import Step
from roost_protocol.update import WaitReason

STAGED = Head(Step.STAGED)
DONE = Head(Step.END, "succeeded", committed=True)
BUSY = Head(Step.INSTALL)


def pair(active=STAGED, standby=STAGED, **more):
    """Two controllers, the active one the coordinator."""
    one = Member("n1", Role.CONTROLLER, active, {"vip": "n2"}, is_coordinator=True, is_voter=True)
    two = Member("n2", Role.CONTROLLER, standby, is_voter=True)
    return Site([one, two], has_witness=True, **more)


def job(site, **more):
    return Job(frozenset(each.node for each in site.members), takes_down=True, **more)


def change(site, node, **more):
    members = [replace(each, **more) if each.node == node else each for each in site.members]
    return replace(site, members=members)


def says(site, now_ms=0, **more):
    return decide(job(site, **more), site, now_ms)


def test_the_standby_goes_first_then_the_active_once_its_successor_is_committed():
    assert says(pair()).go == ("n2",)
    assert says(pair(standby=BUSY)).go == ()
    assert says(pair(standby=DONE)).go == ("n1",)
    assert says(pair(DONE, DONE)).phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"head": Head(Step.END, "canceled")}, "not on the new release"),
        ({"beats": 2}, "not beaten 3 times"),
        ({"is_alive": False}, "not alive"),
        ({"is_degraded": True}, "would take vip and is degraded"),
    ],
)
def test_the_last_active_stays_until_its_successor_is_fit(more, told):
    site = change(pair(standby=DONE), "n2", **more)
    verdict = says(site)
    assert (verdict.go, told in verdict.sentence or verdict.phase) == ((), True)


def test_a_group_that_nobody_could_take_keeps_its_node_up():
    for heir in (None, "n9"):
        verdict = says(change(pair(standby=DONE), "n1", leases={"vip": heir}))
        assert (verdict.go, verdict.why) == ((), WaitReason.HEALTH)


def test_a_successor_that_is_not_of_the_job_may_take_over_as_it_is():
    site = change(pair(standby=Head(Step.END)), "n2")
    only = Job(frozenset({"n1"}), takes_down=True)
    assert decide(only, site, 0).go == ("n1",)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"doubt": "n2 is suspect"}, WaitReason.QUORUM),
        ({"loss": "redundancy lost"}, WaitReason.HEALTH),
        ({"window": "opens at 02:00"}, WaitReason.WINDOW),
        ({"hold": "until 04:00"}, WaitReason.HOLD),
    ],
)
def test_nobody_goes_while_something_stands_in_the_way(more, why):
    verdict = says(pair(**more))
    assert (verdict.phase, verdict.go, verdict.why) == (Phase.WAITING, (), why)


def test_nobody_goes_while_another_is_out_or_silent():
    assert says(change(pair(), "n1", is_out=True)).why is WaitReason.LOCK
    assert says(change(pair(), "n1", is_alive=False)).why is WaitReason.QUORUM
    site = change(pair(), "n1", head=None)
    assert says(site, ANSWERS_MS - 1).why is WaitReason.QUORUM
    assert says(site, ANSWERS_MS).go == ("n2",)


def test_data_is_waited_for_between_groups_but_not_for_ever():
    site = pair(standby=DONE, unsynced="4 s behind", sync_since_ms=0)
    assert "not in sync" in says(site, SYNC_MS_MAX - 1).sentence
    assert "within 2400 s" in says(site, SYNC_MS_MAX).sentence
    assert says(site, SYNC_MS_MAX).go == ()


def test_what_a_standby_never_came_back_for_is_given_up_and_who_has_it_keeps_it():
    site = pair(standby=DONE, loss="the site has lost redundancy", sync_since_ms=0)
    assert says(site, SYNC_MS_MAX - 1).why is WaitReason.HEALTH
    verdict = says(site, SYNC_MS_MAX)
    assert (verdict.go, verdict.back) == ((), ("n1",))
    assert says(replace(site, hold="until noon"), SYNC_MS_MAX).back == (), "a person holds it"


def test_a_pair_that_nobody_votes_beside_goes_with_clean_health_alone():
    site = replace(pair(unclean="n2 is degraded"), has_witness=False)
    assert says(site).sentence == "two nodes without a witness, and n2 is degraded"
    assert says(replace(site, has_witness=True)).go == ("n2",)
    third = Member("w1", Role.WORKER, STAGED)
    assert says(replace(site, members=[*site.members, third])).go == ("n2",)


def test_who_is_out_already_may_have_its_turn_alone_unless_it_runs_something():
    site = change(pair(loss="the site has lost redundancy"), "n2", is_out=True)
    assert says(site).go == ("n2",)
    assert says(change(site, "n2", head=DONE)).sentence == "out already: n2"
    assert says(change(site, "n2", leases={"vip": None})).go == ()
    assert says(change(site, "n1", is_out=True)).go == (), "two are out"
    busy = Site([*site.members, Member("w1", Role.WORKER, BUSY)])
    assert says(busy).go == (), "another one is at work"


def test_who_is_left_out_need_not_be_heard_from():
    site = Site([*workers(1), Member("s0", Role.STORAGE, None)])
    assert says(site).why is WaitReason.QUORUM
    assert says(site, apply={Role.STORAGE: Apply.IGNORE}).go == ("w0",)


def test_until_all_have_it_the_job_is_staging():
    assert says(pair(standby=Head(Step.DOWNLOAD))).phase is Phase.STAGING
    assert says(pair(BUSY, BUSY)).phase is Phase.APPLYING


def test_a_release_beside_what_runs_goes_in_one_by_one_whoever_holds_what():
    site = pair(doubt="n2 is suspect")
    both = Job(frozenset({"n1", "n2"}), takes_down=False)
    assert decide(both, site, 0).go == ("n1",)
    assert decide(both, change(site, "n1", head=BUSY), 0).go == ()
    assert decide(both, replace(site, window="shut"), 0).why is WaitReason.WINDOW


def test_when_one_failed_the_others_go_back_and_nobody_goes_on():
    verdict = says(pair(standby=Head(Step.ROLLBACK, failure="install")))
    assert (verdict.go, verdict.back) == ((), ("n1",))
    assert says(pair(DONE, Head(Step.ROLLBACK, failure="install"))).back == ()


@pytest.mark.parametrize(
    ("one", "two", "phase"),
    [
        (Head(Step.END, "canceled", "operator"),) * 2 + (Phase.CANCELED,),
        (Head(Step.END, "rolled_back", "health"), Head(Step.END, "canceled"), Phase.ROLLED_BACK),
        (Head(Step.END, "failed", "precheck"), Head(Step.END, "canceled"), Phase.FAILED),
        (Head(Step.END, "failed", "install", stuck=True), DONE, Phase.FAILED),
        (DONE, Head(Step.END, "rolled_back", "health"), Phase.FAILED),
    ],
)
def test_a_job_ends_as_its_nodes_did(one, two, phase):
    assert says(pair(one, two)).phase is phase


def workers(count, *, role=Role.WORKER, **more):
    return [Member(f"w{index}", role, STAGED, **more) for index in range(count)]


def test_workers_go_beside_each_other_where_they_may():
    parallel = {Role.WORKER: Apply.PARALLEL}
    assert says(Site(workers(5))).go == ("w0",)
    assert says(Site(workers(5)), apply=parallel).go == ("w0", "w1")
    assert len(says(Site(workers(20)), apply=parallel, parallel_workers=99).go) == 10
    assert says(Site(workers(5, role=Role.STORAGE))).go == ("w0",)


def test_two_roles_are_never_out_at_once_and_one_that_is_ignored_is_not_asked():
    site = Site([*workers(2), *workers(1, role=Role.STORAGE)])
    site = replace(site, members=[*site.members[:2], replace(site.members[2], node="s0")])
    assert says(site).go == ("s0",)
    assert says(change(site, "w0", head=BUSY)).go == ()
    assert says(site, apply={Role.STORAGE: Apply.IGNORE}).go == ("w0",)


SHUT = Head(Step.STAGED, shut=True)


def test_whom_a_window_of_its_own_keeps_is_passed_over_by_its_like_alone():
    some = workers(3)
    site = Site([replace(some[0], head=SHUT), *some[1:]])
    assert says(site).go == ("w1",)
    assert decide(Job(frozenset({"w0", "w1", "w2"}), takes_down=False), site, 0).go == ("w1",)
    alone = says(Site([replace(some[0], head=SHUT)]))
    assert (alone.go, alone.why) == ((), WaitReason.WINDOW)
    assert alone.sentence == "a window of its own keeps w0"
    store = Member("s0", Role.STORAGE, SHUT)
    verdict = says(Site([store, *some]))
    assert (verdict.go, verdict.why) == ((), WaitReason.WINDOW), "workers come after storage"


def test_the_coordinator_goes_last_whatever_keeps_the_others():
    site = pair(standby=DONE)
    other = Member("n3", Role.CONTROLLER, SHUT, {"db": "n2"})
    verdict = says(replace(site, members=[*site.members, other]))
    assert (verdict.go, verdict.why) == ((), WaitReason.WINDOW)
    assert says(replace(site, members=[*site.members, replace(other, head=STAGED)])).go == ("n3",)
    shut = says(pair(active=SHUT, standby=DONE))
    assert (shut.go, shut.sentence) == ((), "a window of its own keeps n1")


ALARMED = Head(Step.STAGED, alarm="200.006")


def test_an_alarm_keeps_the_whole_site_and_names_itself_and_its_node():
    for takes_down in (True, False):
        some = workers(2)
        site = Site([*some, Member("w2", Role.WORKER, replace(DONE, alarm="200.006"))])
        asked = Job(frozenset({"w0", "w1", "w2"}), takes_down=takes_down, alarms="strict")
        verdict = decide(asked, site, 0)
        assert (verdict.go, verdict.why) == ((), WaitReason.HEALTH)
        text = "alarm 200.006 stands on w2, and the plan's gates are alarms = strict"
        assert verdict.sentence == text
        assert decide(asked, change(site, "w2", head=DONE), 0).go == ("w0",), "it is gone"


def test_what_a_node_raises_while_the_job_is_at_work_on_it_keeps_nobody():
    parallel = {Role.WORKER: Apply.PARALLEL}
    site = Site([Member("w9", Role.WORKER, replace(BUSY, alarm="200.006")), *workers(2)])
    assert says(site, apply=parallel).go == ("w0",)
    done = replace(DONE, alarm="200.006")
    assert says(change(site, "w9", head=done), apply=parallel).why is WaitReason.HEALTH


def test_one_voter_at_a_time():
    site = Site(workers(4, is_voter=True))
    assert says(site, apply={Role.WORKER: Apply.PARALLEL}, parallel_workers=4).go == ("w0",)


def test_a_site_of_one_node_takes_its_services_down_in_a_window_alone():
    one = Member("n1", Role.CONTROLLER, STAGED, {"vip": None}, is_coordinator=True)
    assert says(Site([one])).go == ("n1",)
    assert says(Site([one], window="shut")).go == ()


HEADS = st.sampled_from([STAGED, DONE, BUSY, Head(Step.DRAIN), Head(Step.DOWNLOAD), None])


@given(
    st.lists(st.tuples(HEADS, st.booleans(), st.booleans()), min_size=2, max_size=6),
    st.integers(0, 5),
    st.booleans(),
)
def test_never_the_last_active_and_never_two_voters(nodes, active, parallel):
    """U5, over any heads: the holder goes only when its heir is new and well."""
    active %= len(nodes)
    heir = f"n{(active + 1) % len(nodes)}"
    members = [
        Member(
            f"n{index}",
            Role.CONTROLLER if index < 2 else Role.WORKER,
            head,
            {"vip": heir} if index == active else {},
            is_coordinator=index == active,
            is_voter=is_voter,
            is_alive=is_alive,
        )
        for index, (head, is_alive, is_voter) in enumerate(nodes)
    ]
    site = Site(members)
    apply = {Role.WORKER: Apply.PARALLEL} if parallel else {}
    verdict = decide(job(site, apply=apply), site, ANSWERS_MS)
    down = {each.node for each in members if each.head is not None and each.head == BUSY}
    down |= {each.node for each in members if each.head == Head(Step.DRAIN)} | {*verdict.go}
    if f"n{active}" in verdict.go:
        (taker,) = [each for each in members if each.node == heir]
        assert taker.head is DONE
        assert taker.is_alive
        assert down == {f"n{active}"}
    if verdict.go:
        assert all(each.is_alive or each.node in down for each in members)
        out = [each for each in members if each.node in down and each.is_voter]
        begun = [each for each in out if each.node not in verdict.go]
        assert len(out) <= max(1, len(begun))


@given(
    st.lists(
        st.tuples(HEADS, st.sampled_from(["", "", "200.006", "100.801"])), min_size=1, max_size=5
    ),
    st.booleans(),
    st.booleans(),
)
def test_nobody_goes_while_an_alarm_stands_on_a_node_that_is_not_at_work(nodes, down, parallel):
    """And once none does, the site decides as it would have without any."""
    plain = [Member(f"n{i}", Role.WORKER, head) for i, (head, _) in enumerate(nodes)]
    told = [
        each if each.head is None else replace(each, head=replace(each.head, alarm=alarm))
        for each, (_, alarm) in zip(plain, nodes, strict=True)
    ]
    apply = {Role.WORKER: Apply.PARALLEL} if parallel else {}
    asked = Job(frozenset(each.node for each in plain), takes_down=down, apply=apply)
    without, verdict = (decide(asked, Site(some), ANSWERS_MS) for some in (plain, told))
    idle = [each for each in told if each.head and each.head.alarm and not is_busy(each)]
    if not idle:
        assert verdict == without
    assert not (verdict.go and idle)
    assert verdict.back == without.back, "who goes back does not wait for it"
