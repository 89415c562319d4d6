"""What is seen of a site before a node of it goes down: who is there, and could take over."""

from types import SimpleNamespace

import msgspec
import pytest
from updated_site import AT_WORK, DONE, NODES, OFFER, SERVING, STAGED, UpdatedSite

from roost_agent.ha import core_events as ev
from roost_agent.host import transitions as tr
from roost_agent.update import out_of_service, site_blocks
from roost_agent.update.site_standing import Role
from roost_protocol.host_word import HostWord
from roost_protocol.host_word import pack as pack_host
from roost_protocol.update import WaitReason


@pytest.fixture
def site(tmp_path):
    return UpdatedSite(tmp_path)


def test_nobody_goes_while_two_that_live_do_not_hear_each_other(site):
    assert len(site.turn()) == 1
    a, b = (index for index in range(3) if index != site.coordinator)
    site.cores.cut = {(a, b, None)}  # the coordinator hears both
    site.cores.run(5_000)
    assert site.turn() == set()
    assert site.told == (
        WaitReason.QUORUM, f"{site.cores.config.nodes[b].name} does not hear"
        f" {site.cores.config.nodes[a].name}",
    )  # fmt: skip
    site.cores.cut = set()
    site.cores.run(5_000)
    assert len(site.turn()) == 1


def standby(site):
    return 1 - site.cores.holders("main")[0]


def test_nobody_goes_before_a_standby_could_take_over_whoever_coordinates(site):
    """Its ``eligible`` probe says that its data is behind; w1, which could go, waits too."""
    holder, other = site.cores.holders("main")[0], standby(site)
    site.cores.tell(other, ev.Eligible("main", ok=False, why="12 s behind"))
    assert site.turn() == set()
    names = [node.name for node in site.cores.config.nodes]
    text = f"data is not in sync: nobody could take main from {names[holder]}"
    assert site.told == (WaitReason.HEALTH, text)
    site.cores.tell(other, ev.Eligible("main", ok=True))
    assert len(site.turn()) == 1


@pytest.fixture
def limit_ms(monkeypatch):
    """Forty minutes, in less."""
    assert site_blocks.SYNC_MS_MAX == 2_400_000
    monkeypatch.setattr(site_blocks, "SYNC_MS_MAX", 24_000)
    return 24_000


def test_between_two_nodes_a_standby_is_waited_for_and_then_the_rest_is_given_up(site, limit_ms):
    site.heads[2] = DONE
    site.cores.tell(standby(site), ev.Eligible("main", ok=False, why="12 s behind"))
    site.turn()
    assert site.told[0] is WaitReason.HEALTH
    begun_ms = site.cores.now_ms
    site.cores.run(limit_ms - 6_000)
    assert site.turn() == set()
    assert not any(each.back for each in site.said)
    site.cores.run(begun_ms + limit_ms - site.cores.now_ms)
    site.turn()
    assert all(NODES[i] in site.said[i].back for i in (0, 1))
    assert "not in sync within 24 s" in site.told[1]


def test_a_wait_that_was_over_in_between_counts_from_anew(site, limit_ms):
    site.heads[2] = DONE
    late = standby(site)
    for ok in (False, True, False):
        site.cores.tell(late, ev.Eligible("main", ok=ok, why="" if ok else "12 s behind"))
        site.turn()
        site.cores.run(limit_ms - 6_000 if not ok else 0)
    site.turn()
    assert not any(each.back for each in site.said)


def test_a_host_that_has_failed_or_is_at_work_for_another_job_is_out(site):
    index = standby(site)
    out = (WaitReason.LOCK, f"out already: {NODES[index]}")
    site.heads[index] = DONE
    for state in (tr.FAILED, tr.INTEST, tr.LOCKED_ONLINE):
        site.cores.tell(index, ev.HostIs(pack_host(HostWord(state)), "", 0))
        assert site.turn() == set()
        assert site.told == out
    site.cores.tell(index, ev.HostIs(pack_host(HostWord(SERVING)), "", 0))
    assert len(site.turn()) == 1
    site.heads[index] = AT_WORK
    mine = msgspec.structs.replace(OFFER, nodes=[each for each in NODES if each != NODES[index]])
    offers = [mine] * 3
    offers[index] = msgspec.structs.replace(OFFER, job="c" * 32)
    assert site.turn(offer=offers) == set()
    assert site.told == out


async def test_what_runs_is_given_to_no_host_that_is_degraded(site, monkeypatch):
    monkeypatch.setattr(out_of_service, "DRAIN_POLL_S", 0)
    holder, other = site.cores.holders("main")[0], standby(site)
    site.heads = [DONE] * 3
    site.heads[holder] = STAGED
    site.cores.tell(other, ev.HostIs(pack_host(HostWord(tr.DEGRADED)), "", 0))
    assert site.turn() == set()
    text = f"{NODES[other]} would take main and is degraded"
    assert site.told == (WaitReason.HEALTH, text)
    looks = 0

    def may_go():
        nonlocal looks
        looks += 1
        if looks == 3:
            site.cores.tell(other, ev.HostIs(pack_host(HostWord(SERVING)), "", 0))
            site.cores.run(800)
        return ""

    site.hosts[holder].site = SimpleNamespace(may_go=may_go)
    assert await site.service(holder).drain() == ""
    assert looks == 3, "it waits as long as the heir is degraded"
    assert site.turn() == {NODES[holder]}


def test_a_locked_host_that_waits_for_its_turn_may_have_it_alone(site):
    """Its coordinator, which would be the last."""
    site.hosts[site.coordinator].core.state = tr.LOCKED_ONLINE
    assert site.turn() == {NODES[site.coordinator]}
    site.heads[site.coordinator] = AT_WORK
    assert site.turn() == set()


ROLE = '[[node]]\nrole = "storage"\nname = "w1"'


def test_what_a_node_is_for_is_the_files_word_and_a_role_that_is_left_out_is_not_asked(tmp_path):
    site = UpdatedSite(tmp_path, replaced=('[[node]]\nname = "w1"', ROLE))
    roles = [part.role for part in site.of]
    assert roles == [Role.CONTROLLER, Role.CONTROLLER, Role.STORAGE]
    offer = msgspec.structs.replace(OFFER, storage="ignore")
    site.heads[2] = DONE  # as a node that is left out has it (service.py)
    order = []
    for _ in range(2):
        (node,) = site.turn(offer=offer)
        site.heads[NODES.index(node)] = DONE
        order.append(node)
    assert sorted(order) == NODES[:2]
    offer = msgspec.structs.replace(OFFER, controllers="ignore")
    site.heads = [DONE, DONE, STAGED]
    assert site.turn(offer=offer) == {"lab.w1"}


def test_a_pair_without_a_witness_goes_with_clean_health_alone(tmp_path):
    site = UpdatedSite(tmp_path, names=("c0", "c1"), more="")
    offer = msgspec.structs.replace(OFFER, nodes=NODES[:2])
    ill = 1 - site.coordinator
    site.cores.tell(ill, ev.HostIs(pack_host(HostWord(tr.DEGRADED)), "", 0))
    assert site.turn(offer=offer) == set()
    why, text = site.told
    assert (why, text) == (
        WaitReason.HEALTH, f"two nodes without a witness, and c{ill} is degraded",
    )  # fmt: skip
    site.cores.tell(ill, ev.HostIs(pack_host(HostWord(SERVING)), "", 0))
    assert len(site.turn(offer=offer)) == 1


def test_a_node_has_its_place_where_who_coordinates_is_heard_and_hears_it(site, monkeypatch):
    holder = site.coordinator
    other = next(i for i in range(3) if i != holder)
    assert [part.view() for part in site.of] == ["", "", ""]
    members = site.cores.boxes[other].core.members
    told = msgspec.structs.replace(members.report(holder), seen={})
    with monkeypatch.context() as patch:
        patch.setattr(members, "report", {holder: told}.get)
        name = site.cores.config.nodes[holder].name
        text = f"{name}, which coordinates the site, does not hear this node"
        assert site.of[other].view() == text
    site.cores.cut = {(other, None, None)}
    site.cores.run(5_000)
    assert site.of[other].view() == "who coordinates the site is not heard"
    site.cores.boxes[other].core.leases.clear()
    assert site.of[other].view() == "local HA does not know yet what this node is for"


PEERS = '[[node]]\nrole = "storage"\npeer_group = "a"\nname = "w1"'


def test_what_storage_holds_a_copy_of_is_the_files_word_unless_it_may_take_something_over(tmp_path):
    site = UpdatedSite(tmp_path, replaced=('[[node]]\nname = "w1"', PEERS))
    one = site.of[site.coordinator]._members
    seen = one.site(OFFER, STAGED, 1, closed="", hold="").members
    assert [each.peer_group for each in seen] == ["", "", "a"]
    one._peer_groups[0] = "b"
    seen = one.site(OFFER, STAGED, 1, closed="", hold="").members
    assert seen[0].peer_group == "", "it is a host of main"
