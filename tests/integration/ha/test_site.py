"""A site of three real nodes, broken on purpose: who is active in the end, and never two at once.

For how long nobody was is measured elsewhere: a busy machine may stall an agent past any bound.
"""

import os
import signal
import subprocess

import pytest
from ha_netns import needs_netns
from ha_netns import site as made

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.timeout(300)]


@pytest.fixture
def site(tmp_path):
    with made(tmp_path) as site:
        yield site.start()
        assert site.oracle.overlap_ns() == 0
        epochs = [epoch for _, epoch in site.epochs()]
        assert epochs == sorted(set(epochs)), "every turn has a higher epoch"


def other(name):
    return {"c0": "c1", "c1": "c0"}[name]


def test_power_off_of_the_active_node(site):
    active = site.settled()
    site.nodes[active].power_off()
    site.until(lambda: site.active() == other(active), "the standby runs it")
    site.nodes[active].start()
    assert site.settled() == other(active), "no preemption"


def test_a_stopped_agent_loses_the_group_at_its_deadline(site):
    active = site.settled()
    agent = site.nodes[active].agent
    os.kill(agent.pid, signal.SIGSTOP)
    site.until(lambda: site.active() == other(active), "the standby runs it")
    os.kill(agent.pid, signal.SIGCONT)
    assert site.settled() == other(active)


def test_one_network_down_for_all_moves_nothing(site):
    active = site.settled()
    site.network("mgmt", "down")
    down = {"0", "2", "4"}

    def is_noticed():
        paths = site.nodes["w1"].told()["members"][0]["paths"]
        return not down & {n for n, path in paths.items() if path["state"] in {"up", "flaky"}}

    site.until(is_noticed, "the paths are down")
    site.network("mgmt", "up")
    assert site.settled() == active
    assert len(site.epochs()) == 1


def test_a_killed_broker_moves_nothing(site):
    active = site.settled()
    node = site.nodes[active]
    broker = node.told()["broker"]["pid"]
    os.kill(broker, signal.SIGKILL)
    site.until(lambda: node.told()["broker"]["pid"] not in {None, broker}, "another broker runs")
    assert site.settled() == active
    assert len(site.epochs()) == 1


def test_frames_of_one_direction_dropped_move_nothing(site):
    active = site.settled()
    node, peer = site.nodes[active], site.nodes[other(active)]
    rules = "".join(
        f"add rule inet roost in ip saddr 10.77.{net}.{peer.index + 1} drop\n" for net in (0, 1)
    )
    text = (
        "add table inet roost\n"
        "add chain inet roost in { type filter hook input priority 0; }\n" + rules
    )
    inside = ("nsenter", f"--net=/run/netns/{node.space}", "nft")
    subprocess.run((*inside, "-f", "-"), input=text, text=True, check=True)
    site.until(
        lambda: {"suspect", "lost"} & {each["state"] for each in node.told()["members"]},
        "it is noticed",
    )
    subprocess.run((*inside, "delete", "table", "inet", "roost"), check=True)
    assert site.settled() == active


def test_an_agent_that_restarts_under_its_guard_stops_nothing(site):
    active = site.settled()
    site.nodes[active].agent.kill()
    site.nodes[active].agent.start()
    assert site.settled() == active
    assert len(site.epochs()) == 1


def test_an_agent_that_is_told_to_end_hands_over_first(site):
    active = site.settled()
    agent = site.nodes[active].agent
    agent.kill(signal.SIGTERM)
    assert [node for node, _ in site.epochs()] == [active, other(active)], "it ended last"
    told = site.nodes[other(active)].agent.ask("ha", "explain")
    assert "silent" not in told, "nobody was taken for dead"
    assert f"{active}: joining -> left" in told or f"{active}: alive -> left" in told
    agent.start()
    assert site.settled() == other(active)


def test_an_agent_that_ends_to_be_back_at_once_leaves_its_services_to_the_guard(site):
    active = site.settled()
    agent = site.nodes[active].agent
    agent.kill(signal.SIGUSR1)
    agent.start()
    assert site.settled() == active
    assert len(site.epochs()) == 1


def test_what_nobody_could_take_goes_on_when_the_agent_is_told_to_end(site):
    active = site.settled()
    peer, node = other(active), site.nodes[active]
    site.nodes[peer].power_off()

    def is_alone():
        told = node.status()
        states = {each["node"]: each["state"] for each in told["members"]} if told else {}
        return states.get(peer) == "lost" and site.active() == active

    site.until(is_alone, "the peer is lost, the group runs")
    node.agent.kill(signal.SIGTERM)
    words = node.agent.log.read_text()
    is_stalled = "no majority renewed it" in words  # by this machine, in the last moment
    assert "nobody could take main" in words or is_stalled
    site.until(lambda: site.active() is None, "the guard ends it at its deadline")
    node.agent.start()
    site.until(lambda: site.active() == active, "it is back")


def test_a_switchover_is_short_and_one_that_cannot_be_says_why(site):
    active = site.settled()
    agent = site.nodes[active].agent
    assert agent.ask("ha", "switchover", "main", "--to", "w1") is None
    assert agent.ask("ha", "switchover", "nothing") is None
    assert "takes it next" in agent.ask(
        "ha", "switchover", "main", "--to", other(active), "--force"
    )
    site.until(lambda: site.active() == other(active), "the other runs it")
    assert "switchover ordered" in agent.ask("ha", "explain")


# Wants the machine for itself: a renewal that is late by six seconds moves the group.
@pytest.mark.soak
def test_the_voters_change_twice_and_the_group_stays_where_it_is(site):
    active = site.settled()

    def changed(*order, into):
        """Order it wherever it is taken: the built-in lease may move on a busy machine."""
        site.until(
            lambda: any(
                node.agent.order("ha", "voters", *order)[0] for node in site.nodes.values()
            ),
            "somebody takes it",
        )
        site.until(
            lambda: all(node.told()["voters"] == into for node in site.nodes.values()),
            f"all nodes are under {into}",
        )

    changed("remove", "w1", into=["c0", "c1"])
    site.until(lambda: _end(site, active) == 0, "the right has no end any more")
    changed("add", "w1", into=["c0", "c1", "w1"])
    site.until(lambda: _end(site, active) > 0, "the right ends by itself again")
    assert site.settled() == active
    assert len(site.epochs()) == 1


def _end(site, name):
    """Return what is left of the right of a node, 0 where it has no end."""
    (main,) = [each for each in site.nodes[name].told()["leases"] if each["lease"] == "main"]
    return main["remaining_ms"]
