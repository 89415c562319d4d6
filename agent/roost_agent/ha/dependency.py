"""Orders among named things that need one another: cycles, the longest chain, who comes first."""

from collections.abc import Mapping, Sequence

Needs = Mapping[str, Sequence[str]]  # name -> the names that must come before it


def cycle(needs: Needs) -> tuple[str, ...]:
    """Return one cycle, its first name again at its end; nothing where there is none."""
    done: set[str] = set()
    for start in needs:
        found = _cycle_from(start, needs, (), done)
        if found:
            return found
    return ()


def cycles(needs: Needs) -> list[tuple[str, ...]]:
    """Return cycles of which no two share a name, so many that nothing goes round without them."""
    found: list[tuple[str, ...]] = []
    left = dict(needs)
    while one := cycle(left):
        found.append(one)
        left |= dict.fromkeys(one, ())
    return found


def acyclic(needs: Needs) -> Needs:
    """Return the needs without those of names in a cycle: no chain of them is longer than it is."""
    return dict(needs) | {name: () for one in cycles(needs) for name in one}


def _cycle_from(name: str, needs: Needs, above: tuple[str, ...], done: set[str]) -> tuple[str, ...]:
    if name in above:
        return (*above[above.index(name) :], name)
    if name in done:
        return ()
    for each in needs.get(name, ()):
        found = _cycle_from(each, needs, (*above, name), done)
        if found:
            return found
    done.add(name)
    return ()


def longest_ms(needs: Needs, cost_ms: Mapping[str, int]) -> tuple[int, tuple[str, ...]]:
    """Return what the costliest chain takes, and the chain, first name first.

    Args:
        needs: without a cycle.
        cost_ms: of each name.
    """
    best: dict[str, tuple[int, tuple[str, ...]]] = {}

    def reach(name: str) -> tuple[int, tuple[str, ...]]:
        if name not in best:
            before = max((reach(each) for each in needs.get(name, ())), default=(0, ()))
            best[name] = (before[0] + cost_ms.get(name, 0), (*before[1], name))
        return best[name]

    return max((reach(name) for name in needs), default=(0, ()))
