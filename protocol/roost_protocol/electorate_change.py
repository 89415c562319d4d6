"""Which changes of a site's voters are steps: any two majorities around one share a voter.

One voter more or one less, and the mode with it. So a promise that stood before the step still
stands in the way of every majority after it, and nothing is handed over. (Replacing in one step
lets {A, C} and {B, D} both grant.) Design: ha, 6, C1.

A witness elsewhere never votes in a sticky configuration: what is granted there has no end, and one
of a pair must be able to say itself that it holds something by proof.
"""

from typing import Final

from roost_protocol.configuration import (
    GENERATIONS,
    WITNESS,
    Configuration,
    Joined,
    generation,
)
from roost_protocol.electorate import Electorate

STICKY_MAX: Final = 2  # so many voters must all grant; more decide by majority
VOTERS_MAX: Final = 5


def added(old: Electorate, joined: Joined) -> Configuration:
    """Return the configuration with one voter more; its mode is that of its number of voters."""
    voters = tuple(sorted({*old.voters, joined.node}))
    return Configuration(old.cfgver + 1, voters, _is_sticky(voters), joined)


def removed(old: Electorate, node: int) -> Configuration:
    """Return the configuration without one of the voters."""
    voters = tuple(voter for voter in old.voters if voter != node)
    return Configuration(old.cfgver + 1, voters, _is_sticky(voters))


def fault(old: Electorate, new: Configuration) -> str:
    """Return why ``new`` is no step from ``old``, empty where it is one."""
    before, after = frozenset(old.voters), frozenset(new.voters)
    joins = {new.joined.node} if new.joined else set()
    if new.cfgver != old.cfgver + 1 or generation(new.cfgver) in {0, GENERATIONS - 1}:
        return "it does not follow the configuration before it"
    if len(before ^ after) != 1 or not after or after - before != joins:
        return "it does not add one voter, nor remove one"
    if not after <= {*old.nodes, WITNESS} or after == {WITNESS}:
        return "a voter is no node of the site"
    if new.sticky and WITNESS in after:
        return "a witness elsewhere votes only where a majority decides"
    bound = STICKY_MAX if new.sticky else VOTERS_MAX
    return f"{len(after)} voters are more than {bound}" if len(after) > bound else ""


def _is_sticky(voters: tuple[int, ...]) -> bool:
    return len(voters) <= STICKY_MAX and WITNESS not in voters
