"""Real nodes with fakes of BMCs that cut real power: rows 4, 5, 13, 14 and 33 of the scenarios.

Never two at once, whatever is cut; who takes over does so by proof.
"""

import contextlib
import shutil

import pytest
from ha_bmcs import UUIDS, with_bmcs
from ha_netns import needs_netns
from ha_netns import site as made
from ha_plan import NETWORKS, Plan
from redfish_bmc import PASSWORD

from roost_agent.ha.fence.situation import UNHEARD_MS

pytestmark = [
    pytest.mark.netns,
    needs_netns,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
    pytest.mark.timeout(300),
]
PATIENT = {"seconds": 120}
PAIR = Plan(names=("c0", "c1"))
NO_PROOF, UNTESTED = "400.804", "400.806"


@contextlib.contextmanager
def fenced(folder, plan=PAIR, refuses=(), **how):
    with made(folder, plan) as site, with_bmcs(site, **how) as bmcs:
        for name in refuses:
            bmcs.of[name].refuses = True
        site.start()
        yield site, bmcs
        assert site.oracle.overlap_ns() == 0
        for node in site.nodes.values():
            assert PASSWORD not in node.agent.log.read_text()


def other(name):
    return {"c0": "c1", "c1": "c0"}[name]


def cut(site, state="down"):
    for network in NETWORKS:
        site.network(network, state)


def results(node):
    """Of a node's last tests; empty for those that passed."""
    told = node.status()
    return {each["fault"] for each in told["fencing"]["fences"]} if told else {"no answer"}


def is_long_alone(node):
    """Whether a node that has booted heard nobody for longer than fencing waits."""
    told = node.status()
    return told is not None and all(
        each["state"] in {"unknown", "lost"} and each["for_ms"] > 2 * UNHEARD_MS
        for each in told["members"]
    )


def says(site, name, words):
    return any(words in each for each in site.nodes[name].explained())


def test_a_failed_test_is_alarmed_and_lost_power_that_reads_off_is_taken_over(tmp_path):
    with fenced(tmp_path, refuses=["c0"]) as (site, bmcs):
        active = site.settled()
        for node in site.nodes.values():
            site.until(lambda node=node: UNTESTED in node.alarms(), "its test failed", **PATIENT)
            assert results(node) == {"", "GET /redfish/v1/Systems: 401: it refuses the credential"}
        bmcs.of["c0"].refuses = False
        site.nodes[active].power_off()
        bmcs.of[active].power = "Off"
        site.until(lambda: site.active() == other(active), "the standby runs it", **PATIENT)
        assert says(site, other(active), "is off: its power reads Off, twice")
        assert bmcs.of[active].orders() == [], "what was found off is left alone"
        bmcs.of[active].power = "On"
        site.nodes[active].start()
        assert site.settled() == other(active), "no preemption"


def test_without_a_bmc_nobody_takes_over_until_an_operator_says_so(tmp_path):
    with fenced(tmp_path, head='on_full_cut = "fence_incumbent"\n') as (site, bmcs):
        active = site.settled()
        standby = site.nodes[other(active)]
        bmcs.of[active].die()
        site.nodes[active].power_off()
        site.until(
            lambda: says(site, other(active), f"{active} is not proven to be off"),
            "it is said", **PATIENT,
        )  # fmt: skip
        site.until(lambda: NO_PROOF in standby.alarms(), "and alarmed", **PATIENT)
        assert site.active() is None
        is_done, text = standby.agent.order("ha", "takeover", "main", "--confirm-peer-off")
        assert is_done, text
        site.until(lambda: site.active() == other(active), "by the operator's word", **PATIENT)


def test_a_full_cut_keeps_the_incumbent_with_a_bmc_and_without(tmp_path):
    with fenced(tmp_path) as (site, bmcs):
        active = site.settled()
        standby = site.nodes[other(active)]
        cut(site)
        site.until(
            lambda: says(site, other(active), "its power reads On"), "it was read", **PATIENT
        )
        is_done, text = standby.agent.order("ha", "takeover", "main", "--confirm-peer-off")
        assert not is_done
        assert "has power, says its fence" in text
        bmcs.of[active].refuses = True
        site.until(lambda: says(site, other(active), "401"), "nor without", **PATIENT)
        site.until(lambda: NO_PROOF in standby.alarms(), "it is alarmed", **PATIENT)
        cut(site, "up")
        assert site.settled() == active
        assert len(site.epochs()) == 1
        assert bmcs.of[active].orders() == []


def test_a_full_cut_fences_the_incumbent_which_boots_into_the_cut_and_starts_nothing(tmp_path):
    with fenced(tmp_path, head='on_full_cut = "fence_incumbent"\n') as (site, bmcs):
        active = site.settled()
        bmcs.of[active].delay_s = 2.0
        cut(site)
        site.until(lambda: site.active() == other(active), "the standby runs it", **PATIENT)
        site.until(lambda: "On" in bmcs.of[active].power, "it is switched on", **PATIENT)
        site.until(lambda: is_long_alone(site.nodes[active]), "it booted into the cut", **PATIENT)
        site.until(lambda: site.active() == other(active), "and the standby runs it still")
        assert bmcs.of[active].orders() == ["ForceOff", "ForceOn"]
        assert bmcs.of[other(active)].orders() == []
        cut(site, "up")
        assert site.settled() == other(active)
        assert [name for name, _ in site.epochs()] == [active, other(active)]


def test_hard_by_fencing_takeover_waits_for_the_proof_of_the_right_device(tmp_path):
    hard = (
        ('name = "main"\n', 'name = "main"\nhard_by = "fence"\n'),
        ('exclusive = "soft"', 'exclusive = "hard"'),
    )
    with fenced(tmp_path, Plan(), replaced=hard) as (site, bmcs):
        active = site.settled()
        bmc = bmcs.of[active]
        bmc.uuid = UUIDS[other(active)]
        site.nodes[active].power_off()
        bmc.power = "Off"
        site.until(
            lambda: says(site, other(active), "its device says machine"), "it is said", **PATIENT
        )
        assert site.active() is None, "long after the promise"
        bmc.uuid = UUIDS[active]
        site.until(lambda: site.active() == other(active), "by proof", **PATIENT)
        assert results(site.nodes[other(active)]) == {""}, "what proves, passes"
