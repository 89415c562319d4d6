"""``roost-agent join --unattended``: plugged in, and nobody there. Waits until it is a node.

Looks about, asks when somebody says where and whom to trust, and goes on for as long as it takes:
core.py decides when. Ends only with an identity. A failing disk is told and tried again too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from roost_agent.enrol.centre import RefusedError, UntrustedError
from roost_agent.enrol.core import Ask, Failed, Rest, Saw, Setback, Tell, Vigil
from roost_agent.enrol.invitation import Invitation, choose
from roost_agent.enrol.join import UndecidedError
from roost_agent.enrol.walk import Walk
from roost_agent.enrolled import Facts, load
from roost_agent.errors import AgentError
from roost_agent.ports import Clock, Entropy

ROUND_S: Final = 300.0  # one attempt waits so long for people, then media are looked at again
DICE: Final = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The ports of a wait.

    Attributes:
        ask: joins by an invitation, waiting at most ROUND_S.
    """

    clock: Clock
    entropy: Entropy
    sleep: Callable[[float], None]
    tell: Callable[[str], None]
    ask: Callable[[Invitation], Facts]


def wait_for_identity(walk: Walk, ports: Surroundings, state_dir: Path) -> Facts:
    """Return who this node is, once it is one."""
    vigil, known = Vigil(), load(state_dir)
    while known is None:
        now_ms = ports.clock.boot_ms()
        actions = vigil.handle(Saw(choose(walk.looks(now_ms))), now_ms)
        while actions:
            match actions.pop(0):
                case Tell(text):
                    ports.tell(text)
                case Rest(ms):
                    ports.sleep(ms / 1000)
                case Ask(invitation):
                    outcome = _asked(invitation, ports)
                    if isinstance(outcome, Facts):
                        return outcome
                    actions += vigil.handle(outcome, ports.clock.boot_ms())
                case _ as never:
                    assert_never(never)
        known = load(state_dir)  # somebody may have joined by hand meanwhile
    return known.facts


def _asked(invitation: Invitation, ports: Surroundings) -> Facts | Failed:
    dice = ports.entropy.uniform(*DICE)
    try:
        return ports.ask(invitation)
    except UndecidedError as err:
        return Failed(Setback.UNDECIDED, str(err), dice)
    except (RefusedError, UntrustedError) as err:
        return Failed(Setback.REFUSED, str(err), dice)
    except AgentError as err:
        return Failed(Setback.AWAY, str(err), dice)
    except OSError as err:
        return Failed(Setback.AWAY, f"{err.filename or invitation.place}: {err.strerror}", dice)
