"""The last rung on real nodes: the command is a script of the test's own that writes a file.

Nothing here can reboot the machine: the agent knows no way but the one that its unit names, and
these agents are told of that script.
"""

import os
import signal

import pytest
from ha_netns import needs_netns
from ha_netns import site as made
from ha_plan import NETWORKS, Plan

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.timeout(300)]
PATIENT = {"seconds": 120}


@pytest.fixture
def rebooted(tmp_path, monkeypatch):
    """The file that is written in place of a reboot; every agent of the test is told of it."""
    told = tmp_path / "rebooted"
    script = tmp_path / "reboot.sh"
    script.write_text(f"#!/bin/sh\necho would reboot >> {told}\n")
    script.chmod(0o755)
    monkeypatch.setenv("INVOCATION_ID", "of-a-test")
    monkeypatch.setenv("ROOST_HA_REBOOT", str(script))
    return told


def services(node):
    """The processes of its groups that fail over."""
    found = (node.cgroups / "exclusive").glob("**/cgroup.procs")
    return [int(pid) for file in found for pid in file.read_text().split()]


def kill_services(node):
    for pid in services(node):
        os.kill(pid, signal.SIGKILL)
    return bool(services(node))


def test_a_service_that_nothing_helps_has_its_node_rebooted_once_it_has_stopped(tmp_path, rebooted):
    with made(tmp_path, Plan(ladder=("restart:1/600", "reboot"))) as site:
        active = site.start().settled()
        node = site.nodes[active]

        def is_asked_for():
            kill_services(node) if site.active() == active else None
            return rebooted.exists() and rebooted.read_text().endswith("\n")  # as a whole

        site.until(is_asked_for, "it climbs to its last rung", **PATIENT)
        assert rebooted.read_text().startswith("would reboot\n")
        assert (node.disk / "reboots").exists(), "counted"
        assert site.oracle.overlap_ns() == 0


def test_a_node_without_a_majority_is_rebooted_where_that_is_wished(tmp_path, rebooted):
    with made(tmp_path, Plan()) as site:
        for node in site.nodes.values():
            file = node.folder / "ha.toml"
            text = file.read_text()
            assert 'name = "main"\n' in text
            file.write_text(
                text.replace('name = "main"\n', 'name = "main"\non_no_quorum = "reboot"\n', 1)
            )
        active = site.start().settled()
        for network in NETWORKS:
            site.nodes[active].link(network, "down")
        site.until(rebooted.exists, "it is rebooted", **PATIENT)
        assert (site.nodes[active].disk / "reboots").exists()
        site.until(lambda: site.active() not in {None, active}, "another runs it", **PATIENT)
        assert site.oracle.overlap_ns() == 0
