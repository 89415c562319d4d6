"""A voter's no, in words for people: what it is, knows or does that stands in the way.

Each is the rest of a sentence that begins with the voter: the one who asked says "node 2 ...", the
voter itself "this voter ...". Leaves to others: when it is a no (voter_rules, voter_cfg, witness).
"""

from typing import Final

SHORT: Final = {
    "abstains": "does not vote now",
    "blank": "knows nothing of before, and not every node has said what it holds",
    "boot-wait": "started a moment ago",
    "busy": "is just putting another grant on its disk",
    "cfgver": "is under other voters or times",
    "disk": "cannot write to its disk",
    "endless": "is bound without end, from before its voters decided by majority",
    "epoch": "granted a later epoch",
    "fenced": "was told that this boot has ended",
    "no-step": "takes no such change of voters",
    "on-proof": "holds something that not all voters promised",
    "owner": "was asked for what is not the asker's to have",
    "promised": "is bound to another",
    "released": "heard that this epoch was given back",
    "stale": "had the question too late",
    "unlike": "was told another ha.toml by another node",
    "wary": "may have an older disk, and not every node has said what it holds",
    "watchdog": "granted it with a faster watchdog",
}


def refusal(reason: str, owner: int | None, remaining_ms: int | None) -> str:
    """Return in words why a voter refuses, and for how long where it knows.

    Args:
        reason: a voter's word.
        owner: to whom it is bound; None: to nobody.
        remaining_ms: for how long it refuses still; None: without end, 0: not known.
    """
    words = SHORT.get(reason, f"says {reason}")
    if reason == "promised" and owner is not None:
        words = f"is bound to node {owner}"
        if remaining_ms is None:
            return f"{words} until that one gives it back or is proven to be off"
    left = f" for {remaining_ms / 1000:.1f} s more" if remaining_ms else ""
    if reason == "boot-wait" and remaining_ms:
        left = f": it votes in {remaining_ms / 1000:.1f} s, or once every node says what it holds"
    return words + left


def lateness(age_ms: int | None, age_ms_max: int) -> str:
    """Return how late a question was, as the rest of such a sentence; empty: it was in time."""
    if age_ms is None:
        return ": it showed no sign of having heard this start of the agent"
    if age_ms <= age_ms_max:
        return ": a later one came before it"
    return f": it was {age_ms / 1000:.1f} s old, and counts for {age_ms_max / 1000:.1f} s"
