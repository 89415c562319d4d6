"""What the sites of a rollout came to in all, for lists of rollouts. Pure.

Taken from the tallies, so it costs as much as there are waves, however many sites there are; a
rollout at its end keeps it in its head, so that a list reads no jobs.
"""

from collections.abc import Callable, Iterable

import msgspec

from roost_central.rollout.gate import Tally
from roost_central.rollout.rules import Settled
from roost_central.rollout.table import JobState


class Counts(msgspec.Struct, frozen=True):
    """Sites by what became of them; together they are all of the rollout's.

    Attributes:
        done: have it and are well; of a rollout that goes back: are back.
        at_work: take a slot, from the offer to the end of their soak.
        failed: as their waves count it, for good.
        silent: cannot be reached.
        waiting: for their turn, or for another attempt.
        apart: need nothing, were left out, or never had what is taken back.
    """

    done: int = 0
    at_work: int = 0
    failed: int = 0
    silent: int = 0
    waiting: int = 0
    apart: int = 0


def counted(tallies: Iterable[Tally], rules: Callable[[int], Settled], *, is_back: bool) -> Counts:
    """Return the sum of a rollout's tallies, one a wave.

    Args:
        tallies: by wave.
        rules: of a wave; they say which failures count.
        is_back: the rollout goes back, or did.
    """
    done = at_work = failed = silent = waiting = size = 0
    for wave, tally in enumerate(tallies):
        done += tally.succeeded
        at_work += tally.in_flight
        failed += tally.failed(rules(wave), is_back=is_back)
        silent += tally.silent
        waiting += tally.states[JobState.QUEUED] + tally.states[JobState.REJECTED] + tally.retrying
        size += tally.size
    apart = size - done - at_work - failed - silent - waiting
    return Counts(done, at_work, failed, silent, waiting, apart)
