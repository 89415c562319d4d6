"""A host that hangs is reset by its board, by who coordinates: real agents, a board that is real.

The site's nodes have networks of their own; the board is OpenIPMI's simulator on one that all of
them reach. It takes 300 s, as a site does.
"""

import json

import pytest
from board_controllers import PASSWORD, USER, IpmiSim, lacks
from ha_bmcs import HOST, join_boards
from ha_netns import ip, needs_netns
from ha_netns import site as made
from waiting import wait_until

from roost_agent.host.resets import AFTER_MS, TRY_MS

pytestmark = [
    pytest.mark.netns,
    pytest.mark.soak,
    needs_netns,
    pytest.mark.skipif(
        bool(lacks("ipmi_sim", "sdrcomp", "ipmitool")), reason="needs openipmi, ipmitool"
    ),
    pytest.mark.timeout(900),
]
LOST, REST = "c1", ("c0", "w1")
WAIT_S = AFTER_MS / 1000 + 120


@pytest.fixture
def scene(tmp_path):
    with made(tmp_path) as site:
        join_boards(site)
        ip("link", "set", "lo", "up", inside=site.switch)  # the board is asked from there too
        (tmp_path / "board").mkdir()
        sim = IpmiSim(tmp_path / "board", HOST, ("ip", "netns", "exec", site.switch))
        for node in site.nodes.values():
            file = node.folder / "bmc.toml"
            file.write_text(
                f'[[bmc]]\nnode = "{LOST}"\nhost = "{HOST}"\ntype = "ipmi"\nuser = "{USER}"\n'
                f'password = "{PASSWORD}"\nipmi_port = {sim.port}\ninterval_s = 30\n'
            )
            file.chmod(0o600)
            config = node.folder / "agent.toml"
            config.write_text(f'{config.read_text()}[bmc]\nfile = "{file}"\n')
        try:
            sim.start()
            yield site.start(), sim
        finally:
            sim.end()


def hosts(site, node):
    """How each host stands, as a node's agent sees it."""
    told = site.nodes[node].agent.ask("host", "show", "--json")
    return {each["node"]: each for each in json.loads(told)["hosts"]} if told else {}


def lost(site):
    """What the others say of the host that hangs."""
    return [hosts(site, name).get(LOST, {}) for name in REST]


def counted(site):
    """Acts in the hour of the site, by node."""
    files = [site.nodes[name].folder / "state/board-acts.json" for name in REST]
    return [len(json.loads(file.read_text())["at_ms"]) for file in files if file.exists()]


def test_a_host_that_hangs_is_reset_once_and_serves_again(scene):
    site, sim = scene
    serves, failed = "unlocked/enabled/available", "unlocked/disabled/failed"

    def stands(state, seconds=120):
        def is_so():
            return all(each.get("state") == state for each in lost(site))

        site.until(is_so, f"it is {state}", seconds=seconds, step_s=1)

    stands(serves)
    node = site.nodes[LOST]
    node.agent.kill()  # its machine has power, and it says nothing
    node.guard.kill()
    stands(failed)
    assert sim.orders() == [], "not before its time"
    site.until(lambda: "reset 1" in sim.orders(), "it is reset", seconds=WAIT_S, step_s=1)
    said = "reset by its board"
    site.until(
        lambda: any(said in each.get("task", "") for each in lost(site)), "it is told", step_s=1
    )
    assert counted(site) == [1], "by the one that coordinates"
    node.power_off()  # what the board did to it
    node.start()
    stands(serves)
    with pytest.raises(AssertionError, match="not within"):
        wait_until(
            lambda: sim.orders() != ["reset 1"], "again", seconds=3 * TRY_MS / 1000, step_s=1
        )
