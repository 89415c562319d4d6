"""What a site is told that it must not believe or do: refused with the reason, counted, and no
role changes.
"""

import os
import signal
import sys
import time
import tomllib
from pathlib import Path

import pytest
from ha_netns import needs_netns
from ha_netns import site as made
from ha_plan import UDP_PORT, Plan, address
from ha_site import beat
from msgspec.structs import replace
from waiting import wait_until

from roost_protocol.ha import seal
from roost_protocol.limits import HA_FRAME_BYTES_MAX

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.timeout(300)]

FORGER = Path(__file__).parents[2] / "support/ha_forger.py"
OUTSIDE = "10.77.0.99"  # on the network, and no node's
UDP = 4  # the number of the path: behind the four of the brokers
TARGET = "c0"  # whom forged frames are for, whoever is active meanwhile
WRONG_KEY = b"guessed".ljust(32)
BOTH = {"c0", "c1"}


@pytest.fixture(scope="module")
def quorum(tmp_path_factory):
    with made(tmp_path_factory.mktemp("quorum")) as site:
        yield site.start()
        assert site.oracle.overlap_ns() == 0


@pytest.fixture
def site(quorum):
    """The site, on which nothing moves whatever a test says to it."""
    active, before = quorum.settled(), quorum.epochs()
    yield quorum
    assert quorum.settled() == active
    assert quorum.epochs() == before


@pytest.fixture
def pair(tmp_path):
    with made(tmp_path, Plan(names=("c0", "c1"))) as site:
        yield site.start()
        assert site.oracle.overlap_ns() == 0


def key(site, one, other):
    pairs = tomllib.loads(site.keys)["pairs"]
    return bytes.fromhex(pairs.get(f"{one}:{other}") or pairs[f"{other}:{one}"])


def forged(node, target, secret, **fields):
    """A beat that says it is of a node, over UDP, with a mac for the target."""
    return seal(replace(beat(node, 1, path=UDP), **fields), {target: secret})


def send(site, payload, *, source=None):
    """Have the witness's machine send the target a datagram."""
    witness, target = site.nodes["w1"], site.nodes[TARGET]
    source = source or address("mgmt", witness.index)
    words = f"{source} {address('mgmt', target.index)} {UDP_PORT} {payload.hex()}\n"
    witness.inside(sys.executable, str(FORGER), "send", text=words)


def counted(site, what, why):
    """How much of it the target's status shows."""
    return site.nodes[TARGET].told()[what].get(why, 0)


def refused(site, what, why, payload, **how):
    """Send it until it is counted: a datagram may be lost."""
    before = counted(site, what, why)

    def is_counted():
        send(site, payload, **how)
        return counted(site, what, why) > before

    wait_until(is_counted, f"{what}: {why}")
    assert f"{what} frames" in site.nodes[TARGET].agent.ask("ha", "status")


def test_frames_of_strangers_are_refused_and_counted(site):
    target = site.nodes[TARGET].index
    mine, pair_key = site.nodes["w1"].index, key(site, "w1", TARGET)
    refused(site, "refused", "mac", forged(mine, target, WRONG_KEY))
    refused(site, "refused", "member", forged(9, target, WRONG_KEY))
    refused(site, "refused", "site", forged(mine, target, pair_key, site="other"))
    refused(site, "refused", "oversize", b"\x00" * (HA_FRAME_BYTES_MAX + 1))
    refused(site, "refused", "malformed", b"\xc1")  # no MessagePack


def test_a_machine_outside_the_site_is_not_listened_to(site):
    witness = site.nodes["w1"]
    words = ("ip", "addr", "{}", f"{OUTSIDE}/24", "dev", "e0")
    witness.inside(*(word.format("add") for word in words))
    good = forged(witness.index, site.nodes[TARGET].index, key(site, "w1", TARGET))
    try:
        refused(site, "refused", "stranger", good, source=OUTSIDE)
    finally:
        witness.inside(*(word.format("del") for word in words))


def test_an_old_incarnation_and_a_replayed_frame_are_dropped(site):
    target, witness = site.nodes[TARGET], site.nodes["w1"]
    old = forged(witness.index, target.index, key(site, "w1", TARGET), inc=0)
    refused(site, "dropped", "old-incarnation", old)
    words = ("copy", address("mgmt", witness.index), str(UDP_PORT))
    copied = target.inside(sys.executable, str(FORGER), *words).stdout
    refused(site, "dropped", "replayed", bytes.fromhex(copied))


def test_orders_that_must_not_be_say_why_and_are_remembered(site):
    active = site.active()
    (standby,) = BOTH - {active}
    agent, other = site.nodes[active].agent, site.nodes[standby].agent
    before = site.nodes[active].told()["refused_orders"]
    for words, why in (
        (("switchover", "main", "--to", "w1"), "w1 cannot have main; its other hosts"),
        (("switchover", "main", "--to", "nobody"), "nobody cannot have main"),
        (("switchover", "nothing"), "no group 'nothing' fails over; there are: main"),
        (("takeover", "main", "--confirm-peer-off"), "main runs here already"),
    ):
        is_done, text = agent.order("ha", *words)
        assert (is_done, why in text) == (False, True), text
    assert site.nodes[active].told()["refused_orders"] == before + 4
    assert "order refused: main runs here already" in agent.ask("ha", "explain")
    is_done, text = other.order("ha", "takeover", "main", "--confirm-peer-off")
    assert (is_done, "needs no proof" in text) == (False, True), text
    is_done, text = other.order("ha", "switchover", "main")
    assert (is_done, f"not run here but on {active}" in text) == (False, True), text


def test_a_host_in_maintenance_is_given_nothing(site):
    active = site.active()
    (standby,) = BOTH - {active}
    agent, other = site.nodes[active].agent, site.nodes[standby].agent
    assert other.ask("ha", "maintenance", "main", "on", "--ttl", "10m")

    def could_have():
        members = site.nodes[active].told()["members"]
        return "main" not in next(each for each in members if each["node"] == standby)["barred"]

    wait_until(lambda: not could_have(), "the active node knows of it")
    is_done, text = agent.order("ha", "switchover", "main", "--to", standby)
    assert (is_done, f"{standby} cannot have main" in text) == (False, True), text
    assert other.ask("ha", "maintenance", "main", "off")
    wait_until(could_have, "it could again")


def test_what_is_stopped_by_hand_in_maintenance_stays_down_until_its_end(site):
    agent = site.nodes[site.active()].agent
    told = agent.ask("ha", "maintenance", "main", "on", "--ttl", "10m")
    assert "neither watched nor restarted" in told
    os.kill(site.oracle.pid, signal.SIGKILL)
    site.until(lambda: site.active() is None, "it is down")
    time.sleep(1.5)  # a first failure is restarted at once
    assert site.active() is None
    assert agent.ask("ha", "maintenance", "main", "off")
    site.until(site.active, "it is started")


def test_no_takeover_of_a_pair_without_proof(pair):
    active = pair.settled()
    (standby,) = BOTH - {active}
    node = pair.nodes[standby]
    before = pair.epochs()
    order = ("ha", "takeover", "main")
    assert "say --confirm-peer-off" in node.agent.order(*order)[1]
    is_done, text = node.agent.order(*order, "--confirm-peer-off")
    assert (is_done, "switch it off first" in text) == (False, True), text
    pair.nodes[active].power_off()
    pair.until(lambda: "400.804" in node.alarms(), "it says that it lacks proof")
    node.agent.kill()
    node.agent.start()
    node.told()
    refused = set()

    def is_taken():  # once this agent, too, has found the other one lost: some seconds
        is_done, text = node.agent.order(*order, "--confirm-peer-off")
        if not is_done:
            refused.add("starts" if "only starts" in text else text.partition("c")[2])
            assert pair.epochs() == before, "what is refused moves nothing"
        return is_done

    pair.until(is_taken, "the word counts")
    assert all(why == "starts" or "is not taken for dead yet" in why for why in refused), refused
    pair.until(lambda: pair.active() == standby, "it is taken over")
