"""Guards that were started with other times than the site's file has: nothing runs under them."""

import signal

import pytest
from ha_netns import needs_netns
from ha_netns import site as made
from ha_plan import Plan

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.timeout(300)]


def bar(node):
    """Why a node may not have the group."""
    status = node.status()
    leases = status["leases"] if status else []
    return next((each["bar"] for each in leases if each["lease"] == "main"), "")


def test_a_hard_group_runs_where_the_device_bites_as_the_file_says(tmp_path):
    with made(tmp_path, Plan(profile="fast", exclusive="hard")) as site:
        hosts = [site.nodes[name] for name in ("c0", "c1")]
        for node in hosts:
            node.guard.options += ("--watchdog-s", "30")
        for node in site.nodes.values():
            node.start()
        for node in hosts:
            site.until(lambda node=node: "30000 ms" in bar(node), "it says why")
            assert "2000 ms" in bar(node)
        assert site.epochs() == []
        well = hosts[1]
        well.guard.options += ("--watchdog-s", "2")
        well.guard.kill(signal.SIGTERM)  # it stops its device
        well.guard.start()
        site.until(lambda: site.active() == "c1", "it runs there")
        watchdog_is_tested(site, site.nodes["w1"])


def watchdog_is_tested(site, node):
    """Have a node's watchdog end it, on an order, and see that the next boot knows."""
    assert "400.814" not in node.alarms(), "it is told after a minute"
    site.until(lambda: "never seen to bite" in node.status()["untested"], "it says that it is not")
    site.until(lambda: node.agent.ask("ha", "may-go-down"), "nothing needs it")
    assert node.agent.ask("ha", "test-watchdog") is None, "not without a word"
    is_done, told = node.agent.order("ha", "test-watchdog", "--confirm-reset")
    assert is_done, told
    site.until(lambda: node.watchdog.bites == 1, "the watchdog ended it")
    node.power_off()
    node.start()
    site.until(lambda: (node.status() or {"untested": None})["untested"] == "", "the test counts")
    site.until(lambda: site.active() == "c1", "it runs there still")
