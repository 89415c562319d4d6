"""What a reading asks for: a line in the log, or an act on the machine. Pure.

Invariants:
- a reading acts on a machine only when it was critical twice in a row, a poll apart;
- acts of sensors on machines of a site are COOL_MS apart; after ACTS_MAX of one machine a
  power-cycle becomes one power-off, for good (StarlingX), and a reset nothing;
- what is suppressed or ignored does nothing.
"""

from collections.abc import Sequence
from typing import Final

from roost_agent.bmc.board import Board
from roost_agent.bmc.effect import Act, Effect, Moment, Note
from roost_agent.bmc.readings import One, Seen, reading
from roost_agent.bmc.sensor import Level, Sensor
from roost_agent.bmc.talk import Power, Verb
from roost_protocol.boards import Action

CONFIRM: Final = 2  # readings in a row that are critical, until something is done to the machine
SITE_MAX: Final = 3  # acts on machines of a site within HOUR_MS, whoever asks (hosts.md section 3)
HOUR_MS: Final = 3_600_000
COOL_MS: Final = 300_000
ACTS_MAX: Final = 3  # of one machine within TRIED_MS
_QUIET: Final = frozenset({"ignore", "log"})
TRIED_MS: Final = 7_200_000  # so long a power-cycle counts as one that did not help


def action_on(board: Board, sensor: Sensor, level: Level) -> Action:
    """Return what is to be done about a level of a sensor."""
    settings = board.of(sensor.group)
    if level is Level.OK or settings.suppress or sensor.key in board.suppress:
        return "ignore"
    action: Action = getattr(settings, level.word)
    return action


def noted(one: One, seen: Seen) -> list[Effect]:
    """Note a level that is another than before, where it is to be noted."""
    level = seen.sensor.level
    if level is seen.noted:
        return []
    action = action_on(one.board, seen.sensor, max(level, seen.noted))
    seen.noted = level
    if action == "ignore":
        return []
    return [Note(f"{one.board.node}: {seen.sensor.name} is {level.word}: {reading(seen.sensor)}")]


def ill_by(one: One) -> str:
    """Return which sensor of a machine is critical, where an alarm or more is its action.

    Two readings in a row count, as for an act; what is not read any more stands as it was.
    """
    for seen in one.sensors.values():
        action = action_on(one.board, seen.sensor, Level.CRITICAL)
        if seen.critical >= CONFIRM and not seen.is_offline and action not in _QUIET:
            return f"{seen.sensor.name} {reading(seen.sensor)}"
    return ""


def acts_wanted(one: One, of_site: Sequence[int], now: Moment) -> list[Effect]:
    """Return the act on a machine that its sensors ask for, at most one.

    Args:
        one: whose.
        of_site: when machines of the site were acted on within the hour.
        now: both clocks.
    """
    wanted: dict[Action, Sensor] = {}
    for seen in one.sensors.values():
        if seen.critical >= CONFIRM and not seen.missing:
            wanted.setdefault(action_on(one.board, seen.sensor, Level.CRITICAL), seen.sensor)
    action = next((each for each in ("power-cycle", "reset") if each in wanted), None)
    if action is None or one.answer is None or one.answer.power is not Power.ON:
        return []
    if len(of_site) >= SITE_MAX or (of_site and now.wall_ms - max(of_site) < COOL_MS):
        return []
    # After a clock was set back an act that lies ahead counts as made now: not for ever.
    past = (min(each, now.wall_ms) for each in one.acts)
    recent = tuple(each for each in past if now.wall_ms - each < TRIED_MS)
    if len(recent) >= ACTS_MAX and action == "reset":
        return []
    verb = Verb.RESET if action == "reset" else Verb.CYCLE
    if len(recent) >= ACTS_MAX:
        verb = Verb.OFF
    one.acts = (*recent, now.wall_ms)[-2 * ACTS_MAX :]
    sensor = wanted["power-cycle" if action == "power-cycle" else "reset"]
    why = f"{sensor.name} is critical in {CONFIRM} readings: {reading(sensor)}"
    return [Act(one.board.node, verb, why, one.acts)]
