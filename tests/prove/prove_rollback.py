"""Proof: a change of the network that cuts a node off is undone by itself, whoever is killed when.

In network namespaces: root's one-shot with its journal, the agent's part with a centre over TCP. A
kill is at a moment of choice of the one-shot, at any time of the agent, or a cut of the power,
after which the kernel knows what the distribution sets up. What the network is says iproute2.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from ha_netns import WHY_NO_SITE
from proof import Proof
from rollback_stage import LIFE_S, Root, Stage, wait

RUNS = 300
EVERY = 20  # runs between two lines of progress
MOMENTS = 34  # more than the longest of the documents below has
STRIDE = 5  # has no factor in common with it
KILLS = ("none", "one-shot", "one-shot", "agent", "power")


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Change networks, and kill while it is done."""
    if WHY_NO_SITE:
        say(f"skipped: {WHY_NO_SITE}")
        yield Proof("config.rollback", 0, 0, seed, f"skipped: {WHY_NO_SITE}")
        return
    runs = max(2, round(RUNS * share))
    dice = random.Random(seed)  # noqa: S311 - to be repeated
    seen: Counter[str] = Counter()
    failures = 0
    for number in range(runs):
        kill = KILLS[number % len(KILLS)]
        fault = _run(dice, kill, seen)
        if fault:
            failures += 1
            say(f"config.rollback: run {number}, {kill}: {fault}")
        if number % EVERY == EVERY - 1:
            say(f"config.rollback: {number + 1} of {runs}")
    note = (
        f"undone {seen['undone']}, kept {seen['kept']}; the one-shot killed {seen['one-shot']} "
        f"times, the agent {seen['agent']}, the power cut {seen['power']}"
    )
    yield Proof("config.rollback", runs=runs, failures=failures, seed=seed, note=note)


def _run(dice: random.Random, kill: str, seen: Counter[str]) -> str:
    """Change one network; return what is wrong with it after that, empty: nothing."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            is_good = dice.random() < 0.25
            wanted = {"network": good(dice) if is_good else bad(dice)}
            return _change(stage, wanted, dice, (kill, is_good, seen))
        finally:
            stage.close()


def _change(stage, wanted, dice, about) -> str:
    kill, is_good, seen = about
    before = stage.network()
    seq, digest = stage.order(wanted)
    at = 0
    if kill in ("one-shot", "power"):  # one moment after the other, so that each has its turn
        seen["moments"] += 1
        at = 1 + (seen["moments"] * STRIDE) % MOMENTS
    agent = stage.agent(seq, digest)
    root = Root(stage, digest, at)
    if not wait(LIFE_S, lambda: root.turn() or root.process is not None):
        return "the agent asked for nothing"
    if kill == "agent":
        wait(dice.random() * 1.5, root.turn)
        agent.kill()
        seen["agent"] += 1
    if kill == "power":
        wait(LIFE_S, lambda: root.process.poll() is not None)
        root.kill()
        stage.reboot()
        seen["power"] += 1
        root.process = stage.life("boot")
        root.starts = 1
    if not wait(LIFE_S, root.turn):
        return f"not at its end after {LIFE_S:.0f} s"
    seen["one-shot"] += root.kills
    return _judged(stage, before, digest, (is_good, seen))


def _judged(stage, before, digest, about) -> str:
    is_good, seen = about
    is_kept = stage.applied == digest
    seen["kept" if is_kept else "undone"] += 1
    if stage.is_journaled:
        return "the journal is still there"
    if is_kept and not is_good:
        return "a network that cuts the node off was kept"
    if not is_kept and (there := stage.network()) != before:
        return f"is {there}, was {before}"
    if is_kept and stage.network() == before:
        return "it is kept, and the network is as before"
    if not stage.is_reached():
        return "the centre is not reached"
    return ""


def good(dice: random.Random) -> dict:
    """Return a network over which the centre is reached."""
    own = f"192.0.2.{dice.randint(10, 250)}/24"
    wan = {"to": "0.0.0.0/0", "via": "192.0.2.1", "metric": dice.randint(1, 9)}
    if dice.random() < 0.5:
        return {
            "interfaces": {"e0": {"addresses": [own, "192.0.2.251/24"], "mtu": 1400}},
            "routes": {"wan": wan | {"interface": "e0"}},
        }
    return {
        "interfaces": {"br0": {"bridge": {"members": ["e0"]}, "addresses": [own]}},
        "routes": {"wan": wan | {"interface": "br0"}},
    }


def bad(dice: random.Random) -> dict:
    """Return a network that no rule refuses, and over which the centre is not reached."""
    dead = f"192.0.2.{dice.randint(10, 250)}"
    return dice.choice(
        [
            {  # a gateway that is not there, before the one that is
                "interfaces": {"e0": {"mtu": 1400}},
                "routes": {"lab": {"to": "203.0.113.0/24", "via": dead, "interface": "e0"}},
            },
            {  # an address that nobody has a way back to
                "interfaces": {"e0": {"addresses": ["198.51.100.7/24"]}},
                "routes": {"wan": {"to": "0.0.0.0/0", "via": "198.51.100.1", "interface": "e0"}},
            },
            {  # the port where nobody is
                "interfaces": {
                    "br0": {"bridge": {"members": ["e1"]}, "addresses": ["192.0.2.7/24"]},
                    "e0": {"addresses": []},
                },
                "routes": {
                    "wan": {"to": "0.0.0.0/0", "via": "192.0.2.1", "interface": "br0"},
                    "lab": {"to": "10.9.0.0/16", "interface": "br0", "metric": 7},
                },
            },
            {  # the uplink in a bridge that has another way out
                "interfaces": {
                    "br0": {"bridge": {"members": ["e0"]}, "mtu": 1400},
                    "e1": {"addresses": ["192.0.2.7/24", "10.8.0.7/16"]},
                },
                "routes": {"wan": {"to": "0.0.0.0/0", "via": "10.8.0.1", "interface": "e1"}},
            },
        ]
    )
