"""Proof: a disk that refuses a write costs nothing that was acknowledged, and the agent says so."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import refusing_disk
from command import at_once
from proof import Proof
from refusing_disk import Refusal
from scene import Scene
from waiting import wait_until

AT_ONCE = 2
EVERY = 50  # calls between two lines of progress
CYCLES = 12
ERRORS = ("ENOSPC", "EIO")
BEATS = 2  # that come while the disk refuses
SAYS_S, HEALS_S = 90.0, 120.0  # a look takes a moment, the agent's back-off up to 60 s
MORE = 20  # things said once it writes again


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Let each call of the outbox fail once; then let the disk of a running agent refuse."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    yield every_call(say, seed, share, dice)
    yield running_agent(say, seed, share, dice)


def every_call(say: Callable[[str], None], seed: int, share: float, dice: random.Random) -> Proof:
    """Fail at each call; in a bounded run at some of them."""
    points = refusing_disk.points()
    if share < 1:
        points = dice.sample(points, max(1, round(len(points) * share)))
    outcomes = []
    for outcome in at_once(AT_ONCE, refusing_disk.run, points):
        outcomes.append(outcome)
        if len(outcomes) % EVERY == 0:
            say(f"{len(outcomes)} of {len(points)} calls failed once")
    faults = [each for each in outcomes if each.fault]
    for each in faults[:5]:
        say(f"{each.point}: {each.fault}")
    errors = [each for each in outcomes if each.point.cause != "kill"]
    told = sum(each.told > 0 for each in errors)
    return Proof(
        "disk.outbox",
        runs=len(outcomes),
        failures=len(faults),
        seed=seed,
        note=f"P4: each changing call of an outbox's life fails once: {len(errors)} with ENOSPC or "
        f"EIO ({told} told and tried again, the others SQLite takes care of at its next "
        f"write-back), {len(outcomes) - len(errors)} with a kill",
    )


def running_agent(
    say: Callable[[str], None], seed: int, share: float, dice: random.Random
) -> Proof:
    """Refuse all writes of a running agent until it says so; then let them pass again."""
    cycles = max(1, round(CYCLES * share))
    with tempfile.TemporaryDirectory(prefix="roost-disk-") as folder:
        scene = Scene(Path(folder))
        try:
            scene.start()
            scene.central.ready()
            wait_until(scene.effects, "the first thing said", seconds=90)
            for number in range(cycles):
                _cycle(scene, dice.choice(ERRORS))
                say(f"refused {number + 1} times, {len(scene.agent.promised()):,} said")
            lost, doubled = scene.missing(), scene.doubled()
            said = len(scene.agent.promised())
        finally:
            scene.stop()
    return Proof(
        "disk.agent",
        runs=cycles,
        failures=len(lost) + len(doubled),
        seed=seed,
        note=f"P4: all writes of a running agent refused until it says so; it goes on beating, "
        f"and writes again; of {said:,} items {len(lost)} lost, {len(doubled)} with two effects",
    )


def _cycle(scene: Scene, error: str) -> None:
    agent = scene.agent
    with Refusal(agent.pid, agent.state_dir, error):
        wait_until(agent.faults, f"{error} told in the status", seconds=SAYS_S)
        for _ in range(BEATS):
            before = _heard(scene)
            wait_until(lambda was=before: _heard(scene) > was, "a beat", seconds=SAYS_S)
    wait_until(lambda: agent.faults() == [], f"writing again after {error}", seconds=HEALS_S)
    said = len(agent.promised())
    wait_until(lambda: len(agent.promised()) > said + MORE, "more", seconds=HEALS_S)
    assert agent.is_running()


def _heard(scene: Scene) -> str:
    """When the centre heard the node last."""
    return str(scene.central.get("/api/v1/nodes/lab.n1")["heard"])
