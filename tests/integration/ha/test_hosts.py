"""Hosts of a site of real nodes: taken out of service and back, one at a time, over restarts.

What is never seen twice is the group itself (the fixture of each test looks at the oracle).
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from ha_netns import needs_netns
from ha_netns import site as made
from waiting import wait_until

# Each takes a site and two soaks; tests/unit/agent/host/test_acts.py has the same in one loop.
pytestmark = [pytest.mark.netns, pytest.mark.soak, needs_netns, pytest.mark.timeout(300)]

WELL = {"unlocked/disabled/intest", "unlocked/enabled/available", "unlocked/enabled/degraded"}


@pytest.fixture
def site(tmp_path):
    with made(tmp_path) as site:
        yield site.start()
        assert site.oracle.overlap_ns() == 0


def other(name):
    return {"c0": "c1", "c1": "c0"}[name]


def states(site, node):
    """How each host stands, as a node's agent sees it."""
    told = site.nodes[node].agent.ask("host", "show", "--json")
    return {each["node"]: each["state"] for each in json.loads(told)["hosts"]} if told else {}


def enabled(site):
    """The site, once all of its hosts serve in the eyes of each."""

    def is_so():
        serve = [set(states(site, name).values()) for name in site.nodes]
        return all(each and each <= WELL - {"unlocked/disabled/intest"} for each in serve)

    wait_until(is_so, "all hosts are enabled")
    return site.settled()


def act(site, name, *words):
    return site.nodes[name].agent.order("host", *words, "--reason", "fan")


def test_a_lock_goes_on_in_the_next_agent_and_an_unlock_brings_the_host_back(site):
    active = enabled(site)
    node, peer = site.nodes[active], other(active)
    assert act(site, active, "lock", "--no-wait")[0]

    def is_kept():
        return '"pending"' in (node.folder / "state/host.json").read_text()

    wait_until(is_kept, "it is on the disk", step_s=0.01)
    node.agent.kill()
    node.agent.start()
    wait_until(lambda: states(site, active).get(active) == "locked/disabled/online", "it is locked")
    assert site.settled() == peer
    wait_until(lambda: states(site, "w1").get(active) == "locked/disabled/online", "the site knows")
    is_done, said = act(site, peer, "lock")
    assert not is_done
    assert f"{active}: it says that it could not" in said, "nobody could take the group"
    is_done, said = act(site, active, "unlock")
    assert is_done, said
    is_done, said = act(site, peer, "swact")
    assert is_done, said
    assert site.settled() == active


def test_of_two_operators_who_lock_both_hosts_at_once_one_is_refused(site):
    enabled(site)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda name: act(site, name, "lock"), ("c0", "c1")))
    assert sum(is_done for is_done, _ in answers) <= 1, answers
    assert any("wait for it" in said or "could not" in said for _, said in answers), answers
    wait_until(site.active, "the group runs")


def test_a_host_that_is_silent_is_locked_by_the_coordinator_and_comes_back_locked(site):
    active = enabled(site)
    lost = other(active)
    site.nodes[lost].agent.kill()
    rest = [name for name in site.nodes if name != lost]
    failed = "unlocked/disabled/failed"
    wait_until(lambda: all(states(site, n).get(lost) == failed for n in rest), "its loss is told")
    [first, *others] = [act(site, name, "lock", lost) for name in rest]
    assert sum(is_done for is_done, _ in (first, *others)) == 1, "the coordinator alone does it"
    offline = "locked/disabled/offline"
    wait_until(lambda: all(states(site, n).get(lost) == offline for n in rest), "each knows it")
    site.nodes[lost].agent.start()
    wait_until(
        lambda: states(site, lost).get(lost) == "locked/disabled/online", "it has taken it up"
    )
    kept = json.loads((site.nodes[lost].folder / "state/host.json").read_text())
    assert kept["by"].startswith("the coordinator ")
    is_done, said = act(site, lost, "unlock")
    assert is_done, said


def test_a_host_that_loses_its_power_has_failed_in_the_eyes_of_the_coordinator_and_is_back(site):
    active = enabled(site)
    lost = other(active)
    site.nodes[lost].power_off()
    wait_until(
        lambda: states(site, active).get(lost) == "unlocked/disabled/failed", "its loss is told"
    )
    site.nodes[lost].start()
    wait_until(
        lambda: states(site, active).get(lost) == "unlocked/enabled/available", "it serves again"
    )
    assert site.settled() == active
