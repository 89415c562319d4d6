"""Proof: agent, broker and centre are killed in any order, and nothing said is lost or doubled."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from proof import Proof
from scene import Scene
from waiting import wait_until

KILLS = 300
ALIVE_S = (0.2, 1.4)  # between two kills: also while one of them still starts
AWAY_S = (0.0, 0.4)  # until what was killed is started again
FIRST_S = 90.0  # until the first thing said has arrived


def kill(scene: Scene, count: int, dice: random.Random, say: Callable[[str], None]) -> Counter[str]:
    """Kill so often, and return how often each was hit."""
    hit: Counter[str] = Counter()
    for number in range(count):
        time.sleep(dice.uniform(*ALIVE_S))
        name = dice.choice(sorted(scene.actors))
        scene.actors[name].kill()
        hit[name] += 1
        time.sleep(dice.uniform(*AWAY_S))
        scene.actors[name].start()
        if (number + 1) % 50 == 0:
            said, there = len(scene.agent.promised()), scene.effects().total()
            say(f"{number + 1} kills, {said:,} said, {there:,} arrived")
    return hit


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Kill, let it settle, count."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kills = max(3, round(KILLS * share))
    with tempfile.TemporaryDirectory(prefix="roost-kills-") as folder:
        scene = Scene(Path(folder))
        try:
            scene.start()
            wait_until(scene.effects, "the first thing said", seconds=FIRST_S)
            hit = kill(scene, kills, dice, say)
            lost = scene.missing()
            doubled = scene.doubled()
            said = len(scene.agent.promised())
        finally:
            scene.stop()
    for text in sorted(lost)[:5]:
        say(f"lost: {text}")
    yield Proof(
        "kills.random",
        runs=kills,
        failures=len(lost) + len(doubled),
        seed=seed,
        note=f"P1: {', '.join(f'{name} {times}' for name, times in sorted(hit.items()))}; of "
        f"{said:,} items on the agent's disk {len(lost)} lost, {len(doubled)} with two effects",
    )
